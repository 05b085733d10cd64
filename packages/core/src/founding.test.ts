import {
  authzKeyFor,
  type Operation,
  ReplicaType,
  type UserId,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import type { LibraryStorage, StagedRows, Storage } from './storage/storage.js';
import { type Device, listed, World } from './testing/world.js';

/** Every founding is read from its text, in pieces. */
const PIECES = { limits: { maxWholeMessageLength: 1 } };

const COUNT = 1_000;

const key = (user: string) => authzKeyFor(user as UserId);

const many = (device: Device, count = COUNT): Operation[] =>
  Array.from({ length: count }, (_, index) => device.create(`items/${index}`, { n: index }));

/** What a new device of this user is given. */
const seenBy = async (world: World, user: string): Promise<string[]> => {
  const answer = await world.device(user).connect().sync();
  return [...answer.baselines.map(({ oid }) => oid), ...answer.operations.map(({ oid }) => oid)];
};

/** Storage in memory, of which each library is changed as it is opened. */
function storageWith(change: (library: LibraryStorage) => void): Storage {
  const storage = memoryStorage();
  const { open } = storage;
  storage.open = async (id) => {
    const library = await open.call(storage, id);
    change(library);
    return library;
  };
  return storage;
}

async function* noting<Item>(noted: Item[], items: AsyncIterable<Item>): AsyncIterable<Item> {
  for await (const item of items) {
    noted.push(item);
    yield item;
  }
}

describe('a long founding', () => {
  test('over a socket and over HTTP is stored whole, and answered as any other', async () => {
    for (const over of ['socket', 'http'] as const) {
      const world = new World(PIECES);
      const ana = world.device('ana');
      const content = { operations: many(ana), baselines: [ana.baseline('folded/1', { old: true })] };
      const timestamp = ana.stamp();
      const answer =
        over === 'socket'
          ? await ana.connect().sync({ ...content, timestamp })
          : (await ana.post({ type: 'presence-update' }, ana.syncMessage({ ...content, timestamp }))).at(-1);
      expect(answer).toMatchObject({
        type: 'sync-resp',
        ackedTimestamp: timestamp,
        overwriteLocalData: false,
        operations: [],
        baselines: [],
      });
      const bob = await world.device('bob').connect().sync();
      expect(bob.operations).toEqual(content.operations);
      expect(bob.baselines).toEqual(content.baselines);
      expect(await world.info()).toMatchObject({ latestServerOrder: COUNT + 1, operationsCount: COUNT });
      expect(await world.snapshot('items', '7')).toEqual({ n: 7 });
      world.crash();
      expect(await seenBy(world, 'cat')).toHaveLength(COUNT + 1);
    }
  });

  test('is never staged as a whole, and is committed once', async () => {
    const pages: StagedRows[] = [];
    let commits = 0;
    const storage = storageWith((library) => {
      const { stage, commit } = library;
      library.commit = (change) => {
        commits++;
        return commit.call(library, change);
      };
      library.stage = (rows) => stage.call(library, noting(pages, rows));
    });
    const world = new World({ ...PIECES, storage });
    const ana = world.device('ana').connect();
    await ana.sync({ operations: many(ana, 2_000) });
    expect(pages.length).toBeGreaterThan(3);
    expect(Math.max(...pages.map(({ operations }) => operations?.length ?? 0))).toBeLessThan(1_000);
    expect(commits).toBe(1);
  });

  test('[SYNC-5] reaches who had synced while the library was empty, and is folded once that one says so', async () => {
    const world = new World(PIECES);
    const bob = world.device('bob').connect();
    await bob.sync();
    const ana = world.device('ana').connect();
    const operations = many(ana);
    const baselines = [ana.baseline('folded/1', { old: true })];
    await ana.sync({ operations, baselines });
    const [founding, ...more] = bob.all('op-re');
    expect(more).toEqual([]);
    expect(founding).toMatchObject({ replicaId: ana.id, operations, baselines });
    await ana.push(ana.set('items/1', 'n', 100));
    expect(bob.broadcast.at(-1)).toBe('items/1 set');

    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(0);
    await world.settle(2_000);
    await bob.ackAll();
    expect(await acked()).toBe(COUNT + 2);
    await ana.ackAll();
    await bob.push(bob.operation('items/2', { op: 'touch' }));
    await ana.push(ana.operation('items/2', { op: 'touch' }));
    await Promise.all([ana.ackAll(), bob.ackAll()]);
    await world.settle(60_000);
    expect((await world.info())?.baselinesCount).toBe(COUNT + 1);
  });

  test('[PRIV-3] keeps what is private from others, though its root comes last', async () => {
    const world = new World(PIECES);
    const bob = world.device('bob').connect();
    const tablet = world.device('ana').connect();
    await Promise.all([bob.sync(), tablet.sync()]);
    const ana = world.device('ana').connect();
    await ana.sync({
      operations: [
        ...many(ana, 500),
        ana.create('notes/1:a', { deep: true }),
        ana.create('notes/1', { id: '1' }, { authz: key('ana') }),
      ],
    });
    expect(bob.broadcast).toHaveLength(500);
    expect(tablet.broadcast).toHaveLength(502);
    expect(await seenBy(world, 'cat')).toHaveLength(500);
    expect(await seenBy(world, 'ana')).toHaveLength(502);
    // What bob acknowledges is the last that it was sent.
    await bob.ackAll();
    const replicas = (await world.info())?.replicas;
    expect(replicas?.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(502);
  });

  test('of private documents alone is nothing to anybody else', async () => {
    const world = new World(PIECES);
    const bob = world.device('bob').connect();
    await bob.sync();
    const ana = world.device('ana').connect();
    await ana.sync({ operations: [ana.create('notes/1', { id: '1' }, { authz: key('ana') })] });
    expect(bob.all('op-re')).toEqual([]);
    const eve = world.device('eve');
    const foreign = eve.create('notes/2', {}, { authz: key('ana') });
    await eve.connect().sync({ operations: [foreign] });
    expect(await seenBy(world, 'ana')).toEqual(['notes/1']);
  });

  test('drops what comes twice in it', async () => {
    const world = new World(PIECES);
    const ana = world.device('ana').connect();
    const operations = many(ana);
    await ana.sync({ operations: [...operations, operations[3]!, ...operations.slice(500)] });
    const bob = await world.device('bob').connect().sync();
    expect(bob.operations).toEqual(operations);
  });

  test('with something wrong in it is refused, and leaves nothing', async () => {
    const wrong: [string, (ana: Device) => unknown, number][] = [
      ['malformed', () => ({ oid: 'items/x' }), VerdantErrorCode.InvalidRequest],
      ['no JSON', () => undefined, VerdantErrorCode.InvalidRequest],
      ['from the future', (ana) => ana.create('a/1', {}, { timestamp: ana.stamp(120_000) }), 5031],
    ];
    for (const [what, operation, code] of wrong) {
      const world = new World(PIECES);
      const refused: number[] = [];
      world.core.events.subscribe('messageRefused', (info) => void refused.push(info.code));
      const ana = world.device('ana').connect();
      const operations = many(ana);
      const message = JSON.stringify({
        replicaId: ana.id,
        ...ana.syncMessage({ operations: [...operations, operation(ana) as Operation] }),
      });
      ana.raw(what === 'no JSON' ? message.replace(',null]', ',nil]') : message);
      await world.settle();
      expect(ana.inbox, what).toEqual([]);
      expect(refused, what).toEqual([code]);
      expect(await world.info(), what).toBe(null);
      await world.settle(120_000);
      const again = world.device('ana', { id: ana.id }).connect();
      expect((await again.sync({ operations })).overwriteLocalData).toBe(false);
      expect(await seenBy(world, 'bob')).toHaveLength(COUNT);
    }
  });

  test('over HTTP with something wrong in it is refused with its code', async () => {
    const world = new World(PIECES);
    const ana = world.device('ana');
    const message = ana.syncMessage({ operations: [...many(ana), { oid: 'x' } as Operation] });
    await expect(ana.post(message)).rejects.toMatchObject({ code: VerdantErrorCode.InvalidRequest });
    expect(await world.info()).toBe(null);
  });

  test('whose commit fails leaves nothing, and is offered again', async () => {
    let failing = true;
    const storage = storageWith((library) => {
      const { commit } = library;
      library.commit = (change) =>
        failing
          ? Promise.reject(new Error('The disk is full (says the test).'))
          : commit.call(library, change);
    });
    const world = new World({ ...PIECES, storage });
    const ana = world.device('ana').connect();
    const operations = many(ana);
    await ana.sync({ operations });
    expect(ana.inbox).toEqual([]);
    failing = false;
    await world.settle(120_000);
    await ana.connect().sync({ operations });
    expect(await seenBy(world, 'bob')).toHaveLength(COUNT);
  });

  test('[SYNC-4] that is no whole history asks for one; a reader brings nothing', async () => {
    const world = new World(PIECES);
    const ana = world.device('ana').connect();
    ana.send(ana.syncMessage({ operations: many(ana), since: ana.stamp(), resyncAll: false }));
    await world.settle();
    expect(ana.inbox.map(({ type }) => type)).toEqual(['need-since']);
    const reader = world.device('rae', { type: ReplicaType.ReadOnlyRealtime }).connect();
    expect((await reader.sync({ operations: many(reader) })).overwriteLocalData).toBe(false);
    expect(await world.info()).toBe(null);
  });

  test('of two at once, one founds and the other is reset', async () => {
    const world = new World(PIECES);
    const ana = world.device('ana').connect();
    const bob = world.device('bob').connect();
    ana.send(ana.syncMessage({ operations: many(ana, 600) }));
    bob.send(bob.syncMessage({ operations: many(bob, 700) }));
    await world.settle();
    expect(ana.all('sync-resp').map(({ overwriteLocalData }) => overwriteLocalData)).toEqual([false]);
    const [reset] = bob.all('sync-resp');
    expect(reset?.overwriteLocalData).toBe(true);
    expect(listed(reset!)).toHaveLength(600);
  });

  test('keeps others of the library waiting, not those of another one', async () => {
    const world = new World(PIECES);
    const other = await world.founder('cat', { library: 'other' });
    const ana = world.device('ana').connect();
    ana.send(ana.syncMessage({ operations: many(ana, 20_000) }));
    let acks = 0;
    while (ana.all('sync-resp').length === 0) {
      other.send({ type: 'op', timestamp: other.stamp(), operations: [other.set('items/1', 'n', acks)] });
      await world.time.step();
      acks = other.all('server-ack').length;
    }
    expect(acks).toBeGreaterThan(10);
  });

  test('tells listeners a page at a time, before what comes after it', async () => {
    const world = new World(PIECES);
    const heard: { serverOrder: number; operations: number; baselines: number }[] = [];
    world.core.events.subscribe('changes', ({ serverOrder }, operations, baselines) => {
      heard.push({ serverOrder, operations: operations.length, baselines: baselines.length });
    });
    const ana = world.device('ana').connect();
    ana.send(ana.syncMessage({ operations: many(ana), baselines: [ana.baseline('folded/1', {})] }));
    ana.send({ type: 'op', timestamp: ana.stamp(), operations: [ana.set('items/1', 'n', 1)] });
    await world.settle();
    expect(heard.at(-1)).toEqual({ serverOrder: COUNT + 2, operations: 1, baselines: 0 });
    const founding = heard.slice(0, -1);
    expect(founding.length).toBeGreaterThan(2);
    expect(founding.every(({ serverOrder }) => serverOrder === COUNT + 1)).toBe(true);
    const sum = (name: 'operations' | 'baselines') =>
      founding.reduce((total, entry) => total + entry[name], 0);
    expect([sum('operations'), sum('baselines')]).toEqual([COUNT, 1]);
  });
});
