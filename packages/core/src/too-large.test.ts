import { expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import type { Storage } from './storage/storage.js';
import { type Device, listed, World } from './testing/world.js';

const MAX_VALUE_BYTES = 1_000;
const HALF = 'x'.repeat(600);

/** A library over storage whose rows are small, and that rejects what is larger, as a database does. */
async function small() {
  const looks: number[] = [];
  const world = new World({ storage: ofSmallRows(looks) });
  const ana = await world.founder();
  const bob = await world.member('bob');
  return { world, ana, bob, looks };
}

/** Notes, for each look for what may be folded, how many operations were read. */
function ofSmallRows(looks: number[], maxValueBytes = MAX_VALUE_BYTES): Storage {
  const inner = memoryStorage();
  return {
    ...inner,
    limits: { ...inner.limits, maxValueBytes },
    async open(id) {
      const library = await inner.open(id);
      const commit = library.commit.bind(library);
      const foldable = library.foldable.bind(library);
      library.commit = async (change) => {
        for (const { snapshot } of change.baselines ?? [])
          if (snapshot.length > maxValueBytes) throw new Error('string or blob too big');
        return commit(change);
      };
      library.foldable = async (query) => {
        const found = await foldable(query);
        looks.push(found.operations.length);
        return found;
      };
      return library;
    },
  };
}

/** Everybody says that they hold what is there, and time passes for it to be folded. */
async function fold(world: World, ...devices: Device[]): Promise<void> {
  for (const device of devices) {
    await device.push(device.operation('items/other', { op: 'touch' }));
    for (const other of devices) await other.ackAll();
  }
  await world.settle(20_000);
}

const lines = (world: World, level: string) => world.logged.filter((entry) => entry[0] === level);

test('[FOLD-15] an object that would be larger than can be stored stays as operations, and all others are folded', async () => {
  const { world, ana, bob } = await small();
  await ana.push(ana.set('items/1', 'a', HALF), ana.create('items/2', { id: '2' }));
  await ana.push(ana.set('items/1', 'b', HALF), ana.set('items/2', 'n', 1));
  await fold(world, ana, bob);
  const last = (await world.info())?.globalAck;
  await ana.push(ana.set('items/2', 'n', 2));
  await fold(world, ana, bob);
  expect(lines(world, 'error')).toEqual([]);
  expect(lines(world, 'warn')).toEqual([
    [
      'warn',
      'An object is too large to be folded; its changes are kept.',
      { libraryId: 'lib', collection: 'items' },
    ],
  ]);
  const info = await world.info();
  expect(info!.globalAck! > last!).toBe(true);

  const cleo = world.device('cleo').connect();
  const reset = await cleo.sync();
  expect(listed(reset)).toEqual(['items/1 set', expect.any(String)]);
  expect(reset.baselines).toEqual([
    expect.objectContaining({ oid: 'items/1', snapshot: { id: '1', title: 'one', a: HALF } }),
    expect.objectContaining({ oid: 'items/2', snapshot: { id: '2', n: 2 } }),
  ]);
  const whole = { id: '1', title: 'one', a: HALF, b: HALF };
  expect(await world.snapshot('items', '1')).toEqual(whole);
  world.crash();
  expect(await world.snapshot('items', '1')).toEqual(whole);
});

test('[FOLD-15] it is not looked at again before something comes that may have made it smaller, and is folded then', async () => {
  const { world, ana, bob, looks } = await small();
  await ana.push(ana.create('items/list', []));
  // More than a slice has.
  for (let n = 0; n < 400; n++)
    await ana.push(ana.operation('items/list', { op: 'list-push', value: `item ${n}` }));
  await fold(world, ana, bob);
  const { operationsCount } = (await world.info())!;
  expect(operationsCount).toBeGreaterThan(300);
  looks.length = 0;
  await ana.push(ana.operation('items/list', { op: 'list-push', value: 'one more' }));
  await fold(world, ana, bob);
  expect(Math.max(...looks)).toBeLessThan(10);
  expect((await world.info())?.operationsCount).toBe(operationsCount + 1);

  await ana.push(ana.operation('items/list', { op: 'list-delete', index: 1, count: 399 }));
  await fold(world, ana, bob);
  expect((await world.info())?.operationsCount).toBeLessThan(3);
  expect(await world.snapshot('items', 'list')).toEqual(['item 0', 'one more']);
  expect(lines(world, 'warn')).toHaveLength(1);
  expect(lines(world, 'error')).toEqual([]);
});

test('[LIMIT-5] a founding with a baseline that cannot be stored is refused, and founds nothing', async () => {
  const world = new World({ storage: ofSmallRows([]) });
  const ana = world.device('ana').connect();
  ana.send(ana.syncMessage({ baselines: [ana.baseline('items/1', { id: '1', a: HALF, b: HALF })] }));
  await world.settle();
  expect(ana.closed?.code).toBe(4130);
  expect(await world.snapshot('items', '1')).toBeNull();
  expect(lines(world, 'error')).toEqual([]);
});

test('[FOLD-15] a new device is sent all of an object whose changes come to many megabytes, in order', async () => {
  const world = new World({ storage: ofSmallRows([], 1_000_000) });
  const ana = await world.founder();
  const big = 'x'.repeat(900_000);
  for (let n = 0; n < 12; n++) await ana.push(ana.set('items/1', `field${n}`, big));
  await fold(world, ana);
  const cleo = world.device('cleo').connect();
  const { baselines, operations } = await cleo.sync();
  expect(baselines).toMatchObject([{ oid: 'items/1', snapshot: { field0: big } }]);
  const names = operations.flatMap(({ oid, data }) =>
    oid === 'items/1' && data.op === 'set' ? [data.name] : [],
  );
  expect(names).toEqual(Array.from({ length: 11 }, (_, n) => `field${n + 1}`));
  expect(lines(world, 'error')).toEqual([]);
});

test('[LATE-1] a change that comes late for an object that is too large is stored, and passed on as it is', async () => {
  const { world, ana, bob } = await small();
  await ana.push(ana.set('items/1', 'a', HALF));
  await ana.push(ana.set('items/1', 'b', HALF));
  await fold(world, ana, bob);
  for (const device of [ana, bob]) device.inbox = [];
  await bob.push(bob.set('items/1', 'late', 1, { timestamp: bob.stamp(-60_000) }));
  expect(bob.all('server-ack')).toHaveLength(1);
  expect(ana.broadcast).toEqual(['items/1 set']);
  await fold(world, ana, bob);
  expect(lines(world, 'error')).toEqual([]);
});
