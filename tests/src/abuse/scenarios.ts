import type { Scenario } from './attack.js';
import { bombs } from './bombs.js';
import { floods } from './floods.js';
import { many } from './many.js';
import { slow } from './slow.js';
import { vanished } from './vanished.js';

/** All attacks, by name. */
export const scenarios: Record<string, Scenario> = { ...slow, ...many, ...vanished, ...floods, ...bombs };
