import { expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { documentsOf } from './documents.js';
import { init, type Operation, op, push, ref, remove, set } from './messages.js';
import { joiner, Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { fresh } from './tokens.js';

/*
 * "20,000 operations into one library with three connected acking replicas are folded." Seen from outside: a reader's
 * first sync brings few operations and the right documents. Readers are read-only, so that looking does not count.
 */
const server = sharedCli();
const TOTAL = 20_000;
const PER_MESSAGE = 50;
const DOCUMENTS = 40;

test('[FOLD-9] 20,000 operations of three acking replicas are folded: fewer than 100 remain, and a fourth gets the right documents', async () => {
  const library = fresh();
  const written: Operation[] = [];
  const first = await joinAs(library, 'ann', starting(written));
  const writers = [first, await joiner(server, library, 'bob'), await joiner(server, library, 'cem')];

  for (let round = 0; written.length < TOTAL; round++) {
    const messages = writers.map((_, index) => someOperations(round * writers.length + index));
    for (const operations of messages) written.push(...operations);
    await Promise.all(writers.map((writer, index) => writer.write(...messages[index]!)));
  }
  const finished = Date.now();

  const left = await folded(library, 100);
  console.log(`compaction: ${written.length} operations, ${left} left after ${Date.now() - finished} ms`);

  const fourth = await joiner(server, library, 'dee');
  const answer = fourth.received.find((message) => message.type === 'sync-resp')!;
  expect(answer.overwriteLocalData).toBe(true);
  expect(answer.operations.length).toBeLessThan(100);
  expect(documentsOf(answer)).toEqual(documentsOf({ operations: written }));
  for (const peer of [...writers, fourth]) peer.close();
}, 90_000);

test('what is folded again and again adds up to the same documents for a reader in between', async () => {
  const library = fresh();
  const written: Operation[] = [];
  const first = await joinAs(library, 'ann', starting(written));
  const second = await joiner(server, library, 'bob');
  for (let round = 0; round < 3; round++) {
    for (let message = 0; message < 4; message++) {
      const operations = someOperations(1000 + round * 4 + message);
      written.push(...operations);
      await (message % 2 ? first : second).write(...operations);
    }
    await folded(library, 20);
    expect(documentsOf(await firstSync(library))).toEqual(documentsOf({ operations: written }));
  }
  first.close();
  second.close();
});

async function joinAs(library: string, user: string, operations: Operation[]): Promise<Peer> {
  const peer = (await new Peer(server, library, user).connect()).acking();
  await peer.sync({ operations });
  return peer;
}

/** Looks now and then: a reader counts while it is connected, so that looking all the time would hold folding back. */
async function folded(library: string, fewerThan: number): Promise<number> {
  let left = Number.NaN;
  let lookAgain = 0;
  await waitFor(
    async () => {
      if (Date.now() < lookAgain) return false;
      left = (await firstSync(library)).operations.length;
      lookAgain = Date.now() + 1_500;
      return left < fewerThan;
    },
    { deadline: 30_000, describe: () => `${left} operations left` },
  );
  return left;
}

/** What a stranger is shown who may not write and so holds nothing back once it has left. */
async function firstSync(library: string) {
  const reader = await new Peer(server, library, fresh('reader'), { type: 5 }).connect();
  try {
    return await reader.sync();
  } finally {
    reader.close();
  }
}

function starting(written: Operation[]): Operation[] {
  for (let i = 0; i < DOCUMENTS; i++) {
    written.push(
      init(`items/${i}`, { id: String(i), title: 'new', tags: ref(`items/${i}:tags`) }),
      init(`items/${i}:tags`, []),
    );
  }
  return [...written];
}

/** Fields, lists, and a document that goes and comes back. */
function someOperations(seed: number): Operation[] {
  return Array.from({ length: PER_MESSAGE }, (_, index) => {
    const number = seed * PER_MESSAGE + index;
    const root = `items/${number % DOCUMENTS}`;
    const tags = `${root}:tags`;
    switch (number % 11) {
      case 0:
        return push(tags, number);
      case 1:
        return op(tags, { op: 'list-insert', index: 0, value: `first ${number}` });
      case 2:
        return op(tags, { op: 'list-delete', index: 1, count: 2 });
      case 3:
        return op(tags, { op: 'list-move-by-index', from: 0, to: 1 });
      case 4:
        return op(root, { op: 'remove', name: 'note' });
      case 5:
        return number % 3 ? set(root, 'note', number) : remove(root);
      case 6:
        return init(root, { id: String(number % DOCUMENTS), title: `again ${number}`, tags: ref(tags) });
      default:
        return set(root, `field${number % 5}`, number);
    }
  });
}
