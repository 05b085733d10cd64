import { memoryStorage } from '@verdant-web/core/memory';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { documentsOf } from './documents.js';
import { gatedStorage } from './gated-storage.js';
import { init, op, push, remove, set, stamp } from './messages.js';
import { foundation, founder, joiner, kinds, Peer } from './peer.js';
import { frame, RawSocket, upgradeRequest } from './raw-socket.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* What a server owes before it says anything, whatever it is sent; and what folding must not change. */
const server = sharedCli();

describe('nothing is told before it is stored', () => {
  test('[DUR-1] neither sender nor peer hears of an operation while its commit is under way, and both do afterwards', async () => {
    const storage = gatedStorage(memoryStorage());
    await composed({ storage }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      const operation = set('items/1', 'title', 'two');
      const gate = storage.hold((change) => (change.operations?.length ?? 0) > 0);
      ann.send('op', { operations: [operation], timestamp: stamp() });
      await gate.reached;
      expect(bob.unread('op-re')).toEqual([]);
      expect(ann.unread('server-ack')).toEqual([]);
      gate.open();
      await ann.take('server-ack');
      expect((await bob.take('op-re')).operations).toEqual([operation]);
      ann.close();
      bob.close();
    });
  });

  test('[DUR-3] what could not be stored reaches nobody and is not acknowledged', async () => {
    const storage = gatedStorage(memoryStorage());
    await composed({ storage }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      storage.failNext((change) => (change.operations?.length ?? 0) > 0, 3);
      ann.send('op', { operations: [set('items/1', 'lost', 1)], timestamp: stamp() });
      await ann.ended();
      storage.failNext(() => false, 0);
      const again = await new Peer(app, library, 'ann', { id: ann.id }).connect();
      await again.sync({ since: stamp() });
      const marker = set('items/1', 'marker', 1);
      await again.write(marker);
      expect((await bob.take('op-re')).operations).toEqual([marker]);
      expect(ann.unread('server-ack')).toEqual([]);
      again.close();
      bob.close();
    });
  });

  test('[SYNC-29] a sync that comes while an operation is being stored misses nothing and gets nothing twice', async () => {
    const storage = gatedStorage(memoryStorage());
    await composed({ storage }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const before = await joiner(app, library);
      before.close();
      await before.ended();
      const bob = await new Peer(app, library, 'bob', { id: before.id }).connect();
      const operation = set('items/1', 'title', 'in flight');
      const gate = storage.hold((change) => (change.operations?.length ?? 0) > 0);
      ann.send('op', { operations: [operation], timestamp: stamp() });
      await gate.reached;
      const since = stamp();
      bob.sendSync({ since });
      gate.open();
      const answer = await bob.take('sync-resp');
      await ann.take('server-ack');
      const marker = set('items/1', 'marker', 1);
      await ann.write(marker);
      await bob.take('op-re', ({ operations }) =>
        operations.some((one) => one.timestamp === marker.timestamp),
      );
      const seen = bob.received.flatMap((message) =>
        message.type === 'op-re' || message === answer ? message.operations : [],
      );
      expect(seen.filter(({ timestamp }) => timestamp === operation.timestamp)).toHaveLength(1);
      ann.close();
      bob.close();
    });
  });
});

describe('one bad message', () => {
  test('[REFUSE-1] [REFUSE-3] a malformed frame, or a patch that is unknown, ends neither process nor library', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    for (const text of ['{', 'null', '[]', '7', '"text"', '{"type":"op","operations":[null]}']) {
      const mallory = await new Peer(server, library, fresh('mallory')).connect();
      mallory.raw(text);
      expect((await mallory.ended()).code).toBe(4000);
    }
    const operation = set('items/1', 'title', 'still here');
    await ann.write(operation);
    expect((await bob.take('op-re')).operations).toEqual([operation]);
    ann.close();
    bob.close();
  });

  test('[MSG-1] a patch that is unknown is refused at the door, and history goes on being folded', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const mallory = await joiner(server, library, 'mallory');
    mallory.send('op', { timestamp: stamp(), operations: [op('items/1', { op: 'explode', power: 9 })] });
    expect((await mallory.ended()).code).toBe(4000);
    await leave(library, mallory);
    for (let i = 0; i < 30; i++) await ann.write(set('items/1', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    ann.close();
  });

  test.each([0, '', false, null])(
    '[PATCH-4] a list-insert of %j is stored, and folded to what it says',
    async (value) => {
      const library = fresh();
      const ann = await founder(server, library);
      await ann.write(
        op('items/1:tags', { op: 'list-insert', index: 0, value }),
        push('items/1:tags', 'end'),
      );
      for (let i = 0; i < 20; i++) await ann.write(set('items/1', 'n', i));
      expect(await operationsLeft(library)).toBeLessThan(5);
      const bob = await new Peer(server, library, 'bob').connect();
      expect(documentsOf(await bob.sync())['items/1:tags']).toEqual([value, 'end']);
      ann.close();
      bob.close();
    },
  );

  test('[FOLD-15] [PATCH-3] a document whose patches do not fit it stops neither its own folding nor that of others', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    await ann.write(
      push('items/1', 'a list operation on an object'),
      set('items/nowhere', 'field', 1),
      set('items/1:tags', 'name', 'a field of a list'),
      op('items/1:tags', { op: 'list-delete', index: 99, count: 99 }),
      op('items/1:tags', {
        op: 'list-move-by-ref',
        index: 0,
        value: { '@@type': 'ref', id: 'items/1:gone' },
      }),
      init('items/2', { id: '2' }),
    );
    for (let i = 0; i < 20; i++) await ann.write(set('items/2', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    ann.close();
  });
});

test('[SOCK-6] messages that come with the upgrade itself are not lost', async () => {
  const library = fresh();
  const raw = await RawSocket.open(server.port);
  const sync = { type: 'sync', replicaId: 'early', timestamp: stamp(), operations: foundation() };
  const more = { baselines: [], schemaVersion: 1, since: null, resyncAll: true };
  raw.write(
    Buffer.concat([
      Buffer.from(upgradeRequest({ protocols: `Bearer, ${tokenFor(server.base, library, 'ann')}` })),
      frame(JSON.stringify({ type: 'heartbeat' })),
      frame(JSON.stringify({ ...sync, ...more })),
    ]),
  );
  await waitFor(() => raw.text.includes('"sync-resp"'), { describe: () => raw.text });
  expect(raw.text.indexOf('heartbeat-response')).toBeLessThan(raw.text.indexOf('sync-resp'));
  raw.destroy();
});

test('[SOCK-6] messages that come while the library is being opened are not lost, and keep their order', async () => {
  const storage = gatedStorage(memoryStorage());
  await composed({ storage }, async (app) => {
    const library = fresh();
    const opening = storage.holdOpen();
    const ann = await new Peer(app, library, 'ann').connect();
    ann.send('presence-update', { presence: { at: 'first' } });
    ann.sendSync({ operations: foundation() });
    ann.send('op', { operations: [set('items/1', 'title', 'two')], timestamp: stamp() });
    ann.send('heartbeat');
    await opening.reached;
    opening.open();
    await ann.take('heartbeat-response');
    expect(ann.received.map(({ type }) => type)).toEqual([
      'presence-changed',
      'sync-resp',
      'server-ack',
      'heartbeat-response',
    ]);
    ann.close();
  });
});

describe('what was folded', () => {
  test('[FOLD-14] a late set on an object that was deleted and folded does not bring it back', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await ann.write(init('items/2', { id: '2' }));
    await ann.write(remove('items/2'));
    for (let i = 0; i < 10; i++) await ann.write(set('items/1', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    await bob.write(set('items/2', 'ghost', true));
    for (let i = 0; i < 10; i++) await ann.write(set('items/1', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    const cem = await new Peer(server, library, 'cem').connect();
    const answer = await cem.sync();
    expect(Object.keys(documentsOf(answer))).not.toContain('items/2');
    expect(answer.baselines.map(({ oid }) => oid)).not.toContain('items/2');
    for (const peer of [ann, bob, cem]) peer.close();
  });

  test('[SYNC-22] an operation that was folded and is sent again is not applied twice', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const since = stamp();
    const pushed = push('items/1:tags', 'once');
    await ann.sync({ since, operations: [pushed] });
    for (let i = 0; i < 10; i++) await ann.write(set('items/1', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    // The reply to the sync was lost: it comes again, by sync and by op.
    await ann.sync({ since, operations: [pushed] });
    await ann.write(pushed);
    const bob = await joiner(server, library);
    const answer = bob.received.find((message) => message.type === 'sync-resp')!;
    expect(documentsOf(answer)['items/1:tags']).toEqual(['once']);
    expect(kinds(answer.operations)).not.toContain('items/1:tags list-push');
    for (const peer of [ann, bob]) peer.close();
  });

  test('[FOLD-13] an away passive replica does not hold folding back', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    for (const type of [2, 3, 4, 5, '2', '5']) {
      const passive = new Peer(server, library, fresh('passive'), { type });
      if (Number(type) === 2 || Number(type) === 5) {
        await passive.connect();
        await passive.sync();
        passive.close();
        await passive.ended();
      } else {
        await passive.post([passive.syncMessage()]);
        await passive.post([{ type: 'disconnecting' }]);
      }
    }
    for (let i = 0; i < 20; i++) await ann.write(set('items/1', 'n', i));
    expect(await operationsLeft(library)).toBeLessThan(5);
    ann.close();
  });
});

/** How many operations a newcomer is sent, once that is few or does not change any more. */
async function operationsLeft(library: string): Promise<number> {
  let left = Number.NaN;
  let lookAgain = 0;
  await waitFor(
    async () => {
      if (Date.now() < lookAgain) return false;
      const reader = await new Peer(server, library, fresh('reader'), { type: 5 }).connect();
      left = (await reader.sync()).operations.length;
      reader.close();
      lookAgain = Date.now() + 1_200;
      return left < 5;
    },
    { deadline: 6_000 },
  ).catch(() => {});
  return left;
}

/** A replica that counts and does not come back holds folding back; in its name everything is acknowledged. */
async function leave(library: string, { id, user }: Peer): Promise<void> {
  const heir = await new Peer(server, library, user, { id }).connect();
  heir.acking();
  await heir.sync({ since: stamp() });
}
