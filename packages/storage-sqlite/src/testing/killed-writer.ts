import { writeUntilKilled } from '@verdant-web/testkit/writer';
import { type Kind, openKind } from './kinds.js';

const [kind, directory] = process.argv.slice(2) as [Kind, string];
await writeUntilKilled(openKind(kind, directory));
