import { expect } from 'vitest';
import type { StorageTest } from './fixture.js';
import { Random } from './random.js';
import { access, at, baseline, file, oid, operation, operations, replica } from './rows.js';

const OPERATIONS = 3_000;
const BASELINES = 2_000;
const READERS = 6;

export function streamingContract(test: StorageTest): void {
  test('readers of pages get what was there when they were asked, whoever writes meanwhile', async ({
    write,
  }) => {
    const random = new Random(7);
    const [writer, other] = [await write(), await write('other')];
    const stored = operations(OPERATIONS, (order) => ({ oid: oid(`new/${order % 50}`) }));
    const baselines = Array.from({ length: BASELINES }, (_, index) =>
      baseline(`items/${index.toString().padStart(5, '0')}`),
    );
    await writer.commit({ operations: stored, baselines });

    const readers = Array.from({ length: READERS }, (_, index) => ({
      pages: (index % 2
        ? writer.library.readBaselines()
        : writer.library.readOperations(index * 100, OPERATIONS))[Symbol.asyncIterator](),
      expected: index % 2 ? baselines : stored.slice(index * 100),
      seen: [] as unknown[],
    }));
    const open = new Set(readers);
    for (let turn = 0; open.size > 0; turn++) {
      // Some write while the page is being read, some after it.
      const writing = [write1(turn), write2(turn)];
      const reader = random.pick([...open]);
      const page = await reader.pages.next();
      if (page.done) open.delete(reader);
      else reader.seen.push(...page.value);
      await Promise.all(writing);
    }
    for (const { seen, expected } of readers) expect(seen).toEqual(expected);

    /** What does not fold goes on while replies are read: operations, acknowledgements, files. */
    async function write1(turn: number): Promise<void> {
      await writer.commit({
        operations: [
          operation(writer.head.order + 1, {
            timestamp: at(turn),
            oid: oid(`items/${random.between(0, 9)}`),
          }),
        ],
        replicas: [replica(`r${turn % 5}`, { ackedOrder: turn })],
        access: [access(`items/${turn % 7}`)],
        files: [file(`f${turn % 11}`)],
      });
    }

    /** Another library is folded and evicted all the same. */
    async function write2(turn: number): Promise<void> {
      if (turn % 5 === 4) {
        await other.evict();
        await other.library.reclaim(1);
      } else {
        const order = other.head.order + 1;
        await other.commit({
          operations: [operation(order)],
          fold: [order],
          baselines: [baseline('items/00001')],
        });
      }
    }
  });
}
