import { join } from 'node:path';
import { authzKeyFor, formatTimestamp, type ReplicaId, type UserId } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { sqlStorage } from '../index.js';
import { type LibraryRows, readLibrary } from '../testing/library-rows.js';
import {
  ORIGINAL_KINDS,
  type OriginalKind,
  type OriginalRows,
  writeOriginal,
} from '../testing/original-files.js';
import { at, operation, usualLibrary, wallClock } from '../testing/original-library.js';
import { fastParent, temporaryDirectory } from '../testing/temporary.js';

const DAY = 24 * 60 * 60;
const EARLIEST = '0'.repeat(24);
const baseline = (seconds: number, oid = 'items/1') => ({
  oid,
  snapshot: '{"id":"1"}',
  timestamp: at(seconds),
});
const replica = (id: string, acked: number, time: number | null, more = {}) => ({
  id,
  ackedServerOrder: acked,
  ackedLogicalTime: time === null ? null : at(time),
  lastSeenWallClockTime: wallClock(time ?? 10),
  ...more,
});

// --- who holds what

test('a replica is told of what it has not acknowledged, and of nothing else', async () => {
  const { replicas, head } = await migrated({
    operations: [operation(1, 'ana'), operation(2, 'ana'), operation(3, 'bob'), operation(7, 'bob')],
    replicas: [
      replica('ana', 0, 7),
      replica('bob', 2, 7),
      replica('cy', 2, 7),
      replica('dan', 7, 7),
      replica('eve', 5, 7),
    ],
  });
  expect(head).toMatchObject({ order: 4, foldedThrough: 0 });
  expect(heldBy(replicas)).toEqual({
    // Hers come first, and what she wrote she holds.
    ana: 2,
    // His come last: he holds all.
    bob: 4,
    cy: 2,
    dan: 4,
    // 4, 5 and 6 were given to operations that came twice, or were folded.
    eve: 3,
  });
});

test('a replica is owed a reset where it may or may not have folded what it has not acknowledged', async () => {
  const { replicas } = await migrated({
    operations: [operation(1, 'ana'), operation(4, 'ana'), operation(6, 'bob'), operation(9, 'ana')],
    replicas: [
      replica('ana', 0, 9),
      replica('bob', 4, 7),
      // She holds 4, or does not: 5 is after it, and by then everybody had said that they write nothing before 5.
      replica('cy', 1, 5),
      // 6 and 9 they may hold, but cannot have folded.
      replica('dan', 4, 8),
      // Without a last time there is no telling what came before it.
      replica('eve', 1, null),
    ],
  });
  const owed = replicas.filter(({ pending }) => pending.some(({ reset }) => reset === 'owed'));
  expect(owed.map(({ id }) => id)).toEqual(['cy', 'eve']);
  expect(heldBy(replicas)).toMatchObject({ cy: 1, eve: 1, dan: 2 });
});

test('an acknowledged order beyond all there are proves nothing that is not settled', async () => {
  const { replicas } = await migrated({
    baselines: [baseline(1)],
    operations: [operation(2, 'ana'), operation(4, 'ana'), operation(6, 'ana')],
    replicas: [
      replica('ana', 0, 6),
      replica('bob', 6, 5),
      replica('forger', 1e15, 9),
      replica('seen-once', 99, 5, { lastSeenWallClockTime: wallClock(3) }),
    ],
  });
  expect(heldBy(replicas)).toMatchObject({
    // Everybody has told that they write nothing before 5: what is older may be folded on devices, and is not sent again.
    forger: 3,
    'seen-once': 2,
  });
});

test('an acknowledged order beyond the end of an empty log is its end', async () => {
  const { replicas, head } = await migrated({
    baselines: [baseline(1)],
    replicas: [replica('ana', 50, 6), replica('bob', 40, 5)],
  });
  expect(head).toMatchObject({
    order: 1,
    foldedThrough: 1,
    operations: 0,
    baselines: 1,
    announcedAck: at(5),
  });
  expect(heldBy(replicas)).toEqual({ ana: 1, bob: 1 });
});

test('operations without an order, and with the same one, get one each', async () => {
  const { operations, replicas } = await migrated({
    operations: [
      operation(8, 'ana', { serverOrder: 0 }),
      operation(1, 'ana', { serverOrder: 0 }),
      operation(5, 'ana', { serverOrder: 2 }),
      operation(4, 'ana', { serverOrder: 2, oid: 'items/2' }),
      operation(6, 'ana', { serverOrder: 3 }),
    ],
    replicas: [replica('bob', 2, 7), replica('cy', 3, 9), replica('dan', 0, 7)],
  });
  expect(operations.map(({ order, timestamp }) => [order, timestamp])).toEqual([
    // Settled, so that all hold it; then in order; last what may be news to anybody.
    [1, at(1)],
    [2, at(4)],
    [3, at(5)],
    [4, at(6)],
    [5, at(8)],
  ]);
  expect(heldBy(replicas)).toEqual({ bob: 3, cy: 4, dan: 1 });
});

test('a library from before there were orders stays as it is for all that had acknowledged it', async () => {
  const { replicas, head } = await migrated({
    baselines: [baseline(1)],
    operations: [operation(2, 'ana', { serverOrder: 0 }), operation(3, 'bob', { serverOrder: 0 })],
    replicas: [replica('ana', 0, 5), replica('bob', 0, 6)],
  });
  expect(head).toMatchObject({ order: 3, foldedThrough: 1 });
  expect(heldBy(replicas)).toEqual({ ana: 3, bob: 3 });
});

test('who synced after the founding with baselines holds them; who was there before, or never synced, does not', async () => {
  const { replicas, head } = await migrated({
    baselines: [baseline(5)],
    replicas: [
      replica('founder', 0, 6),
      replica('joined', 0, 8),
      replica('early', 0, 3),
      replica('connected', 0, null),
    ],
  });
  expect(head).toMatchObject({ order: 1, foldedThrough: 1 });
  // Below `foldedThrough` a replica is reset.
  expect(heldBy(replicas)).toEqual({ founder: 1, joined: 1, early: 0, connected: 0 });
});

test('a replica that was just sent everything proves with its next sync that it got that', async () => {
  const { replicas, head } = await migrated({
    baselines: [baseline(1)],
    operations: [operation(2, 'ana'), operation(6, 'ana')],
    replicas: [replica('ana', 0, 5), replica('new', 0, null, { lastSeenWallClockTime: wallClock(4) })],
  });
  expect(head.announcedAck).toBe(at(5));
  expect(replicas.find(({ id }) => id === 'new')).toMatchObject({
    ackedOrder: 0,
    // It is waited for, but holds nobody back any further.
    ackedTime: at(5),
    pending: [{ timestamp: EARLIEST, order: 2, reset: 'first', late: false }],
  });
});

test('a replica that the original waited for no more holds nobody back, and is reset', async () => {
  const { replicas, head } = await migrated({
    baselines: [baseline(1)],
    operations: [operation(2, 'ana'), operation(3, 'ana')],
    replicas: [replica('ana', 3, 4), replica('gone', 2, -40 * DAY), replica('gone in sync', 3, -40 * DAY)],
  });
  expect(head.announcedAck).toBe(at(4));
  expect(heldBy(replicas)).toEqual({ ana: 3, gone: 0, 'gone in sync': 3 });
});

test('replicas that count only while they are here do not hold the global ack back', async () => {
  const { head, replicas } = await migrated({
    operations: [operation(1, 'ana')],
    replicas: [
      replica('ana', 1, 9),
      replica('passive', 1, 2, { type: 2 }),
      replica('reader', 1, 3, { type: '5' }),
    ],
  });
  expect(head.announcedAck).toBe(at(9));
  expect(replicas.map(({ type }) => type)).toEqual([0, 2, 5]);
});

// --- odd rows

test('odd values of replicas are read for what they mean', async () => {
  const future = formatTimestamp({ version: 1, ms: Date.now() + DAY * 1000, counter: 0, node: 'n' });
  const { replicas, leftOut } = await migrated({
    operations: [operation(1, 'ana')],
    replicas: [
      { id: 'a', type: '2', ackedServerOrder: '1', ackedLogicalTime: at(3) },
      { id: 'b', type: 'x', ackedServerOrder: 'x', ackedLogicalTime: 'no time', lastSeenWallClockTime: 'x' },
      {
        id: 'c',
        type: 77,
        ackedServerOrder: -5,
        ackedLogicalTime: future,
        lastSeenWallClockTime: Date.now() * 2,
      },
      { id: Buffer.from('blob'), clientId: 'x' },
    ],
  });
  const now = Date.now();
  const isNow = (ms: number) => ms <= now && ms > now - 60_000;
  expect(leftOut).toBe(1);
  expect(replicas.map(({ id, type }) => [id, type])).toEqual([
    ['a', 2],
    ['b', 0],
    ['c', 0],
  ]);
  // None: the original never took it for truant.
  expect(replicas.map(({ lastSeen }) => isNow(lastSeen))).toEqual([true, true, true]);
  expect(replicas[0]).toMatchObject({ ackedOrder: 1, ackedTime: at(3) });
  // A clock that is set right later must not find its own times ahead of it.
  expect(replicas[2]!.ackedTime! < future).toBe(true);
});

test('rows that cannot be read are left out and counted; what is good of them is kept', async () => {
  const { operations, baselines, leftOut, head, files } = await migrated(
    {
      baselines: [
        { oid: 'items/1', snapshot: '{"id":"1"}', timestamp: 'no time' },
        { oid: 'items/2', snapshot: '{"id":', timestamp: at(1) },
        { oid: 'items/3', snapshot: '"text"', timestamp: at(1) },
        { oid: 'no oid', snapshot: '{}', timestamp: at(1) },
        { oid: 'items/4', snapshot: null, timestamp: at(1) },
        { oid: 'items/5:nested', snapshot: '[1,2]', timestamp: at(1) },
      ],
      operations: [
        operation(1, 'ana', { data: 'no json' }),
        operation(2, 'ana', { data: 'null' }),
        operation(3, 'ana', { data: '{"op":"conjure"}' }),
        operation(4, 'ana', { data: '{"op":"initialize","value":7}' }),
        operation(5, 'ana', { oid: 'no oid' }),
        operation(6, 'ana', { timestamp: 'no time' }),
        operation(7, 'ana', { data: Buffer.from('{"op":"touch"}') }),
        operation(8, 'ana', { data: '{"op":"list-insert","index":0,"value":0}' }),
        operation(9, 'ana', { data: '{"op":"set","name":"__proto__","value":{"a":1}}' }),
      ],
      files: [
        { fileId: 'f1', name: 'x', type: 'y', pendingDeleteAt: 'soon' },
        { fileId: Buffer.from('f2'), name: 'x', type: 'y' },
      ],
    },
    { files: ['f1'] },
  );
  expect(baselines.map(({ oid, timestamp }) => [oid, timestamp])).toEqual([
    ['items/1', EARLIEST],
    ['items/5:nested', at(1)],
  ]);
  expect(operations.map(({ order, timestamp }) => [order, timestamp])).toEqual([
    [2, at(8)],
    [3, at(9)],
  ]);
  expect(head).toMatchObject({ operations: 2, baselines: 2, order: 3 });
  // A time to delete that is none: in use, as nothing is lost by that.
  expect(files).toEqual([{ id: 'f1', name: 'x', type: 'y', size: null, pendingDeleteAt: null }]);
  // Three baselines, seven operations, a file. A snapshot of nothing is no loss.
  expect(leftOut).toBe(11);
});

test('timestamps that 2.x took for numbers are what they were', async () => {
  const zero = (version: number, counter: number, node = '') =>
    formatTimestamp({ version, ms: 0, counter, node });
  const times = [zero(1, 0), zero(1, 3), zero(2, 7), zero(9, 1), at(5)];
  const { operations } = await migrated(
    { operations: times.map((timestamp, n) => operation(n + 1, 'ana', { timestamp })) },
    {},
    ORIGINAL_KINDS['2.x unified, layout 7'],
  );
  expect(operations.map(({ timestamp }) => timestamp)).toEqual(times);
});

test('ids of any text come through', async () => {
  const odd = ['nul\0', '\u001b0041', 'ü', '"quoted"', "it's", '😀'];
  const { operations, replicas } = await migrated({
    operations: odd.map((id, n) => operation(n + 1, id, { oid: `items/${id}` })),
    replicas: odd.map((id) => ({ id, clientId: id })),
  });
  expect(operations.map(({ replicaId }) => replicaId)).toEqual(odd);
  expect(operations.map(({ oid }) => oid)).toEqual(odd.map((id) => `items/${id}`));
  expect(replicas.map(({ id, userId }) => [id, userId]).sort()).toEqual(odd.map((id) => [id, id]).sort());
});

// --- the head

test('the author of everything is known only where nothing was folded', async () => {
  const soleAuthor = async (rows: OriginalRows) => (await migrated(rows)).head.soleAuthor;
  expect(await soleAuthor({ operations: [operation(1, 'ana'), operation(2, 'ana')] })).toBe('ana');
  expect(await soleAuthor({ operations: [operation(1, 'ana'), operation(2, 'bob')] })).toBe(null);
  expect(await soleAuthor({ operations: [operation(1, 'ana')], baselines: [baseline(1)] })).toBe(null);
});

test('a library that never held anything is still to be founded; one that was emptied is not', async () => {
  const empty = await migrated({ replicas: [replica('ana', 0, 5)] });
  expect(empty.head).toMatchObject({ founded: false, order: 0, foldedThrough: 0, announcedAck: null });
  expect(empty.replicas).toMatchObject([{ id: 'ana', ackedOrder: 0, pending: [] }]);
  const emptied = await migrated({ replicas: [replica('ana', 9, 5), replica('late', 0, 1)] });
  expect(emptied.head).toMatchObject({ founded: true, order: 1, foldedThrough: 1 });
  expect(heldBy(emptied.replicas)).toEqual({ ana: 1, late: 0 });
});

// --- private documents

const keyA = authzKeyFor('user-a' as UserId);
const keyÜ = authzKeyFor('ü' as UserId);
const latin1 = btoa('u:ü:*');
const originator = btoa('u:$$_originator_$$:*');
const init = (seconds: number, replicaId: string, oid: string, authz: string | null) =>
  operation(seconds, replicaId, { oid, authz, data: '{"op":"initialize","value":{}}' });

test('documents stay private, with all that is under them', async () => {
  const { baselines, operations, access } = await migrated(
    {
      baselines: [
        { ...baseline(1, 'items/p'), authz: keyA },
        { ...baseline(1, 'items/p:sub'), authz: null },
        baseline(1, 'items/open'),
      ],
      operations: [
        operation(2, 'ana', { oid: 'items/p:sub' }),
        operation(3, 'ana', { oid: 'items/new:sub' }),
        init(4, 'ana', 'items/new', keyA),
        init(5, 'ana', 'items/gone', keyA),
        operation(6, 'ana', { oid: 'items/gone', data: '{"op":"delete"}' }),
        init(7, 'ana', 'items/again', keyA),
        operation(8, 'ana', { oid: 'items/again', data: '{"op":"delete"}', authz: keyA }),
        init(9, 'bob', 'items/again', null),
        operation(10, 'bob', { oid: 'items/open' }),
      ],
      replicas: [
        { id: 'ana', clientId: 'user-a' },
        { id: 'bob', clientId: 'user-b' },
      ],
    },
    { roots: ['items/p', 'items/new', 'items/gone', 'items/again', 'items/open'] },
  );
  expect(Object.fromEntries(baselines.map(({ oid, authz }) => [oid, authz]))).toEqual({
    'items/p': keyA,
    'items/p:sub': keyA,
    'items/open': null,
  });
  expect(operations.map(({ authz }) => authz)).toEqual([
    keyA,
    keyA,
    keyA,
    keyA,
    keyA,
    keyA,
    keyA,
    null,
    null,
  ]);
  expect(access).toEqual([
    { root: 'items/p', authz: keyA, deleted: false },
    { root: 'items/new', authz: keyA, deleted: false },
    { root: 'items/gone', authz: keyA, deleted: true },
    { root: 'items/again', authz: null, deleted: false },
  ]);
});

test('keys in the writing of browsers, and for whoever wrote, become those of their users', async () => {
  const { operations, baselines } = await migrated({
    baselines: [{ ...baseline(1, 'items/0'), authz: latin1 }],
    operations: [
      init(2, 'r', 'items/1', latin1),
      init(3, 'r', 'items/2', originator),
      init(4, 'x', 'items/3', 'no key'),
    ],
    replicas: [{ id: 'r', clientId: 'ü' }],
  });
  expect(baselines.map(({ authz }) => authz)).toEqual([keyÜ]);
  // What is no key of anybody stays hidden from everybody.
  expect(operations.map(({ authz }) => authz)).toEqual([keyÜ, keyÜ, 'no key']);
});

// --- size

test('of a large library, every row arrives', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'verdant.sqlite');
  const operations = Array.from({ length: 100_000 }, (_, n) =>
    operation(n + 3, n % 2 ? 'ana' : 'bob', { oid: `items/${n % 10_000}`, timestamp: at(n / 100) }),
  );
  writeOriginal(path, ORIGINAL_KINDS['3.x unified, v2'], { one: { ...usualLibrary(), operations } });
  const storage = sqlStorage({ databaseFile: path });
  const library = await readLibrary(storage, 'one');
  expect(library?.head).toMatchObject({ order: 100_001, operations: 100_000 });
  expect(new Set(library?.operations.map(({ order }) => order)).size).toBe(100_000);
  await storage.close();
});

/** The library as our storage has it, after a file with these rows was opened. */
async function migrated(
  rows: OriginalRows,
  ask: { roots?: string[]; files?: string[] } = {},
  kind: OriginalKind = ORIGINAL_KINDS['3.x unified, v2'],
): Promise<LibraryRows & { leftOut: number }> {
  const path = join(temporaryDirectory(fastParent()), 'verdant.sqlite');
  writeOriginal(path, kind, { one: rows });
  let leftOut = 0;
  const storage = sqlStorage({
    databaseFile: path,
    log: (_level, message, fields) => {
      if (message.includes('is migrated')) leftOut = fields.leftOut as number;
    },
  });
  const library = await readLibrary(storage, 'one', ask);
  await storage.close();
  return { ...library!, leftOut };
}

const heldBy = (replicas: readonly { id: ReplicaId; ackedOrder: number }[]): Record<string, number> =>
  Object.fromEntries(replicas.map(({ id, ackedOrder }) => [id, ackedOrder]));
