import { writeSync } from 'node:fs';
import { emptyHead, type Storage } from '@verdant-web/core';
import { stepOf, take, WRITTEN_LIBRARIES } from './storage/steps.js';

/**
 * The other half of the storage suite's kill test: writes to the storage without a pause, and says on standard output
 * what was acknowledged, until the suite kills the process. Make a program of it, and name that in
 * `DurableStorageUnderTest.writer`. Print nothing else to standard output there.
 *
 * @example
 * ```ts
 * // my-storage.writer.ts
 * import { writeUntilKilled } from '@verdant-web/testkit/writer';
 * import { myStorage } from './my-storage.js';
 *
 * await writeUntilKilled(myStorage({ directory: process.argv[2]! }));
 * ```
 */
export async function writeUntilKilled(storage: Storage): Promise<never> {
  await Promise.all(
    WRITTEN_LIBRARIES.map(async (id) => {
      const library = await storage.open(id);
      const head = (await library.load(0))?.head ?? emptyHead;
      for (let step = stepOf(head) + 1; ; step++) {
        await take(library, step);
        // Synchronous: what is said here has been acknowledged, and is in the pipe before anything else happens.
        writeSync(process.stdout.fd, `${id} ${step}\n`);
      }
    }),
  );
  throw new Error('Unreachable: every library is written until the process is killed');
}
