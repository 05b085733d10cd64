import { describe, expect, test } from 'vitest';
import { init, msOf, push, remove, set, stamp } from './messages.js';
import { foundation, founder, joiner, kinds, Peer } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh } from './tokens.js';

/* Sync, proof and clocks (docs/protocol.md), as a stranger sees them. */
const server = sharedCli();

describe('an empty library', () => {
  test('[SYNC-3] asks a new replica that has synced elsewhere for its full history, and stores nothing meanwhile', async () => {
    const library = fresh();
    const ann = await new Peer(server, library, 'ann').connect();
    const answer = await ann.trySync({ since: stamp(), operations: [set('items/1', 'part', 1)] });
    expect(answer).toEqual({ type: 'need-since', since: null });
    const bob = await new Peer(server, library, 'bob').connect();
    expect(await bob.sync()).toMatchObject({ operations: [], baselines: [], overwriteLocalData: false });
    expect(await ann.sync({ operations: foundation() })).toMatchObject({ overwriteLocalData: false });
    expect(kinds((await bob.take('op-re')).operations)).toEqual([
      'items/1 initialize',
      'items/1:tags initialize',
    ]);
    for (const peer of [ann, bob]) peer.close();
  });

  test.each([4, 5])(
    '[SYNC-5] leaves a read-only caller (type %i) what it has, and keeps it new',
    async (type) => {
      const library = fresh();
      const reader = new Peer(server, library, 'reader', { type });
      const empty = await reader.poll({ since: stamp(), operations: [set('items/1', 'x', 1)] });
      expect(empty).toMatchObject({ operations: [], baselines: [], overwriteLocalData: false });
      const ann = await founder(server, library);
      const next = await reader.poll({ since: stamp() });
      expect(next.overwriteLocalData, 'as it is new').toBe(true);
      expect(next.operations.length + next.baselines.length).toBeGreaterThan(0);
      ann.close();
    },
  );

  test('[SYNC-4] that was only ever synced without data is founded by the first that brings some', async () => {
    const library = fresh();
    await new Peer(server, library, 'ann').poll();
    await new Peer(server, library, 'bob').poll();
    const cem = new Peer(server, library, 'cem');
    expect((await cem.poll({ operations: foundation() })).overwriteLocalData).toBe(false);
    const dee = await new Peer(server, library, 'dee').poll();
    expect(dee.overwriteLocalData).toBe(true);
    expect(dee.operations.length).toBe(2);
  });

  test('[SYNC-6] is not one whose documents were all deleted', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    await ann.write(remove('items/1'), remove('items/1:tags'));
    const stale = await new Peer(server, library, 'bob').connect();
    const answer = await stale.sync({ operations: [init('items/old', { id: 'old' })] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('items/old');
    for (const peer of [ann, stale]) peer.close();
  });
});

describe('a library that is not empty', () => {
  test.each([4, 5])(
    '[SYNC-16] resets a read-only replica (type %i) that brings content, each time',
    async (type) => {
      const library = fresh();
      const ann = await founder(server, library);
      const reader = new Peer(server, library, 'reader', { type });
      const first = await reader.poll();
      const calm = await reader.poll({ since: first.ackedTimestamp });
      expect(calm.overwriteLocalData).toBe(false);
      const brought = await reader.poll({
        since: calm.ackedTimestamp,
        operations: [set('items/1', 'hacked', 1)],
      });
      expect(brought.overwriteLocalData).toBe(true);
      expect(JSON.stringify(brought)).not.toContain('hacked');
      const after = await reader.poll({ since: brought.ackedTimestamp });
      expect(after.overwriteLocalData).toBe(false);
      const marker = set('items/1', 'marker', 1);
      const bob = await joiner(server, library);
      await ann.write(marker);
      expect((await bob.take('op-re')).operations).toEqual([marker]);
      for (const peer of [ann, bob]) peer.close();
    },
  );

  test('[SYNC-11] [SYNC-12] resets a known replica that sends its history as if it were new', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await bob.fence();
    const answer = await bob.sync({ since: null, resyncAll: false, operations: [set('items/1', 'old', 1)] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('"old"');
    const again = await bob.sync({ since: stamp(), resyncAll: true });
    expect(again.overwriteLocalData).toBe(true);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[SYNC-21] answers with what is new in server order, without what the replica just sent', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await bob.fence();
    bob.close();
    await bob.ended();
    const early = set('items/1', 'early', 1);
    const late = set('items/1', 'late', 1);
    await ann.write(late);
    await ann.write(early);
    const back = await new Peer(server, library, 'bob', { id: bob.id }).connect();
    const own = push('items/1:tags', 'own');
    const answer = await back.sync({ since: stamp(), operations: [own] });
    expect(answer.operations).toEqual([late, early]);
    expect(answer).toMatchObject({ baselines: [], overwriteLocalData: false });
    expect((await ann.take('op-re')).operations).toEqual([own]);
    for (const peer of [ann, back]) peer.close();
  });

  test('[SYNC-25] passes on what a sync stored, but never an empty op-re', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await bob.fence();
    const own = push('items/1:tags', 'own');
    const since = stamp();
    await bob.sync({ since, operations: [own] });
    await bob.sync({ since, operations: [own] });
    await bob.sync({ since });
    bob.send('op', { operations: [], timestamp: stamp() });
    const marker = set('items/1', 'marker', 1);
    await bob.write(marker);
    await ann.take('op-re', ({ operations }) => operations[0]?.timestamp === marker.timestamp);
    const heard = ann.received.filter((message) => message.type === 'op-re');
    expect(heard.map(({ operations }) => operations)).toEqual([[own], [marker]]);
    expect(heard.map(({ baselines }) => baselines ?? [])).toEqual([[], []]);
    for (const peer of [ann, bob]) peer.close();
  });
});

describe('what proves that a reply was applied', () => {
  async function returning() {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await bob.fence();
    const since = (await bob.sync({ since: stamp() })).ackedTimestamp;
    bob.close();
    await bob.ended();
    const missed = set('items/1', 'title', 'missed');
    await ann.write(missed);
    const again = () => new Peer(server, library, 'bob', { id: bob.id }).connect();
    return { ann, since, missed, again };
  }

  test('[PROOF-1] a later sync whose since is at or past it', async () => {
    const { ann, since, missed, again } = await returning();
    const first = await again();
    const { ackedTimestamp, operations } = await first.sync({ since });
    expect(operations).toEqual([missed]);
    first.close();
    await first.ended();
    const second = await again();
    expect((await second.sync({ since: ackedTimestamp })).operations).toEqual([]);
    for (const peer of [ann, second]) peer.close();
  });

  test('[PROOF-2] an ack of an operation that it listed', async () => {
    const { ann, since, missed, again } = await returning();
    const first = await again();
    await first.sync({ since });
    first.ack(missed.timestamp);
    await first.fence();
    first.close();
    await first.ended();
    const second = await again();
    // Its since says nothing of the reply; the ack did.
    expect((await second.sync({ since })).operations).toEqual([]);
    for (const peer of [ann, second]) peer.close();
  });

  test('[PROOF-2] an ack of an operation that was sent after it', async () => {
    const { ann, since, again } = await returning();
    const first = await again();
    await first.sync({ since });
    const later = set('items/1', 'later', 1);
    await ann.write(later);
    await first.take('op-re');
    first.ack(later.timestamp);
    await first.fence();
    first.close();
    await first.ended();
    const second = await again();
    expect((await second.sync({ since })).operations).toEqual([]);
    for (const peer of [ann, second]) peer.close();
  });

  test('[ACK-2] not an ack of something that was never sent on that socket', async () => {
    const { ann, since, missed, again } = await returning();
    const first = await again();
    await first.sync({ since });
    first.ack(stamp());
    await first.fence();
    first.close();
    await first.ended();
    const second = await again();
    expect((await second.sync({ since })).operations).toEqual([missed]);
    for (const peer of [ann, second]) peer.close();
  });

  test('[PROOF-5] not receiving it over HTTP', async () => {
    const { ann, since, missed, again } = await returning();
    const polling = await again();
    polling.close();
    expect((await polling.poll({ since })).operations).toEqual([missed]);
    const second = await polling.poll({ since });
    expect(second.operations).toEqual([missed]);
    expect((await polling.poll({ since: second.ackedTimestamp })).operations).toEqual([]);
    ann.close();
  });
});

describe('clocks', () => {
  test('[CLOCK-3] a sync dated far ahead, without content, is acknowledged no further than now and the drift', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await new Peer(server, library, 'bob').connect();
    const answer = await bob.sync({ timestamp: stamp(Date.now() + 3_600_000) });
    expect(msOf(answer.ackedTimestamp)).toBeLessThanOrEqual(Date.now() + 60_000);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[CLOCK-1] [CLOCK-2] an operation dated ahead refuses its whole message: nobody is told, its sender keeps all of it', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const ahead = { ...set('items/1', 'ahead', 1), timestamp: stamp(Date.now() + 120_000) };
    bob.send('op', { operations: [set('items/1', 'fine', 1), ahead], timestamp: stamp() });
    expect((await bob.ended()).reason).toMatch(/clock/);
    expect(bob.unread('server-ack')).toEqual([]);
    const cem = await joiner(server, library, 'cem');
    await cem.write(set('items/1', 'marker', 1));
    const heard = await ann.take('op-re');
    expect(kinds(heard.operations)).toEqual(['items/1 set']);
    expect(heard.operations[0]?.data.name).toBe('marker');
    for (const peer of [ann, cem]) peer.close();
  });

  test('[CLOCK-1] over HTTP that is 503 with Retry-After, and one within the drift is taken', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = new Peer(server, library, 'bob');
    const { ackedTimestamp: since } = await bob.poll();
    const dated = (ms: number) => ({ ...set('items/1', 'x', ms), timestamp: stamp(Date.now() + ms) });
    const refused = await bob.post([bob.syncMessage({ since, operations: [dated(120_000)] })]);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ code: expect.any(Number) as number });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const taken = dated(30_000);
    expect((await bob.post([bob.syncMessage({ since, operations: [taken] })])).status).toBe(200);
    expect((await ann.take('op-re')).operations).toEqual([taken]);
    ann.close();
  });
});

test('[SYNC-13] a truant with operations that it has not seen is reset, and one that has seen all is not', async () => {
  await composed({}, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    await bob.fence();
    bob.close();
    await bob.ended();
    await app.core.get(library).forceTruant(bob.id);
    const back = await new Peer(app, library, 'bob', { id: bob.id }).connect();
    const calm = await back.sync({ since: stamp() });
    expect(calm.overwriteLocalData).toBe(false);
    back.close();
    await back.ended();
    await ann.write(set('items/1', 'missed', 1));
    await app.core.get(library).forceTruant(bob.id);
    const late = await new Peer(app, library, 'bob', { id: bob.id }).connect();
    const own = set('items/1', 'forfeited', 1);
    const answer = await late.sync({ since: calm.ackedTimestamp, operations: [own] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('forfeited');
    for (const peer of [ann, late]) peer.close();
  });
});

describe('a replica of another user', () => {
  test.each<[string, object]>([
    ['sync', { timestamp: stamp(), operations: [], baselines: [], schemaVersion: 1, since: null }],
    ['op', { timestamp: stamp(), operations: [set('items/1', 'stolen', 1)] }],
    ['ack', { timestamp: stamp() }],
    ['presence-update', { presence: { thief: true } }],
  ])('[MSG-6] is forbidden to %s, and nothing else happens', async (type, fields) => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const thief = await new Peer(server, library, 'mallory', { id: bob.id }).connect();
    thief.send(type, fields);
    await thief.take('forbidden');
    const { messages, status } = await thief.post([{ type, ...fields }]);
    expect({ status, messages }).toEqual({ status: 200, messages: [{ type: 'forbidden' }] });
    await bob.write(set('items/1', 'marker', 1));
    await ann.take('op-re');
    expect(JSON.stringify(ann.received)).not.toMatch(/stolen|thief/);
    for (const peer of [ann, bob, thief]) peer.close();
  });
});

test('[MSG-3] [MSG-9] operations on the wire carry nothing of the server', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const bob = await joiner(server, library);
  ann.send('op', {
    operations: [{ ...set('items/1', 'x', 1), serverOrder: 99, replicaId: 'z', extra: true }],
    timestamp: stamp(),
  });
  const [operation] = (await bob.take('op-re')).operations;
  expect(Object.keys(operation!).sort()).toEqual(['data', 'oid', 'timestamp']);
  const cem = await joiner(server, library, 'cem');
  const answer = cem.received.find((message) => message.type === 'sync-resp')!;
  for (const item of [...answer.operations, ...answer.baselines]) {
    expect(['oid', 'timestamp', 'data', 'snapshot', 'authz']).toEqual(
      expect.arrayContaining(Object.keys(item)),
    );
  }
  for (const peer of [ann, bob, cem]) peer.close();
});
