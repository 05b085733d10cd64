import { VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { World } from '../testing/world.js';

const ref = (id: string) => ({ '@@type': 'ref' as const, id });

describe('a document as it is now', () => {
  test('whose objects each hold the next one twice, over forty levels, is refused', async () => {
    const world = new World();
    const ana = await world.founder();
    const levels = Array.from({ length: 40 }, (_, level) => level);
    await ana.push(
      ana.create('maps/1', { first: ref('maps/1:0') }),
      ...levels.map((level) =>
        ana.create(`maps/1:${level}`, [ref(`maps/1:${level + 1}`), ref(`maps/1:${level + 1}`)]),
      ),
    );
    await expect(world.snapshot('maps', '1')).rejects.toMatchObject({ code: VerdantErrorCode.TooLarge });
    // Nothing waits for it.
    expect(await world.snapshot('items', '1')).toMatchObject({ id: '1' });
  });

  test('whose objects are nested over thousands of levels is refused', async () => {
    const world = new World();
    const ana = await world.founder();
    const nested = Array.from({ length: 20_000 }, (_, level) =>
      ana.create(`maps/1:${level}`, { next: ref(`maps/1:${level + 1}`) }),
    );
    await ana.push(ana.create('maps/1', { next: ref('maps/1:0') }), ...nested);
    await expect(world.snapshot('maps', '1')).rejects.toMatchObject({ code: VerdantErrorCode.TooLarge });
  });

  test('may hold 20,000 objects, some of them in two places', async () => {
    const world = new World();
    const ana = await world.founder();
    const ids = Array.from({ length: 20_000 }, (_, n) => `maps/1:${n}`);
    const list = [...ids, ...ids.slice(0, 1_000)].map(ref);
    await ana.push(ana.create('maps/1', { list: ref('maps/1:list') }), ana.create('maps/1:list', list));
    await ana.push(...ids.map((id) => ana.create(id, { id })));
    const snapshot = (await world.snapshot('maps', '1')) as { list: unknown[] };
    expect(snapshot.list).toHaveLength(21_000);
    expect(snapshot.list.at(-1)).toEqual({ id: 'maps/1:999' });
  });
});
