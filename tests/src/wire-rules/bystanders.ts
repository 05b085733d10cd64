import { expect } from 'vitest';
import { push } from './messages.js';
import { founder, joiner, type Peer } from './peer.js';
import { fresh } from './tokens.js';

/**
 * Runs something that should disturb nobody, while two pairs of clients go on syncing: one in the same library and one
 * in another. Afterwards both pairs are still on their first sockets and have missed nothing, and a newcomer is served.
 */
export async function undisturbed(
  server: { base: string },
  attack: (library: string) => Promise<void>,
): Promise<void> {
  const library = fresh();
  const pairs = [await pair(server, library), await pair(server, fresh('elsewhere'))];
  let attacking = true;
  const syncing = pairs.map(async ([writer, reader]) => {
    let rounds = 0;
    while (attacking || rounds < 3) {
      const operation = push('items/1:tags', rounds++);
      await writer.write(operation);
      await reader.take('op-re', ({ operations }) =>
        operations.some(({ timestamp }) => timestamp === operation.timestamp),
      );
    }
    return rounds;
  });
  // A pair that fails is told of below; until then the attack goes on.
  for (const pairIsSyncing of syncing) pairIsSyncing.catch(() => {});
  try {
    await attack(library);
  } finally {
    attacking = false;
  }
  for (const rounds of await Promise.all(syncing)) expect(rounds).toBeGreaterThanOrEqual(3);
  for (const peer of pairs.flat()) expect(peer.closed).toBeUndefined();
  for (const name of [library, fresh('new')]) {
    const newcomer = await joiner(server, name, fresh('newcomer'));
    await newcomer.write(push('items/1:tags', 'newcomer'));
    newcomer.close();
  }
  for (const peer of pairs.flat()) peer.close();
}

async function pair(server: { base: string }, library: string): Promise<[Peer, Peer]> {
  return [await founder(server, library, 'writer'), await joiner(server, library, 'reader')];
}
