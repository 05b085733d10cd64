import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for a recording and what is made of it: in memory where there is such a place, for all of it is flushed a lot. */
export const openWorkplace = (): string =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'verdant-power-'));
