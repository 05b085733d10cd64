import { waitFor } from '../until.js';
import type { AbusedServer } from './abused-server.js';

/** Those of the two pairs of bystanders. */
const LIBRARIES_OF_BYSTANDERS = 2;

/** Resolves when no library is in memory but those of the bystanders. */
export async function libraryLeft(server: AbusedServer): Promise<void> {
  await waitFor(async () => (await server.log()).libraries <= LIBRARIES_OF_BYSTANDERS, {
    deadline: 120_000,
    describe: async () => (await server.log()).libraries,
  });
}
