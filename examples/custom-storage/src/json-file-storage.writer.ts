import { writeUntilKilled } from '@verdant-web/testkit/writer';
import { jsonFileStorage } from './json-file-storage.js';

await writeUntilKilled(jsonFileStorage({ directory: process.argv[2]! }));
