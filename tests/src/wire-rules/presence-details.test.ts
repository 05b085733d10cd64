import { describe, expect, test } from 'vitest';
import { set } from './messages.js';
import { founder, joiner, Peer } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh } from './tokens.js';

/* Presence (docs/protocol.md), from the wire. */
const server = sharedCli();

describe('presence', () => {
  test('[PRES-1] [PRES-2] goes to everyone, the sender included, with profile and default internal', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    bob.send('presence-update', { presence: { cursor: 7 } });
    const expected = {
      type: 'presence-changed',
      replicaId: bob.id,
      userInfo: {
        id: 'bob',
        replicaId: bob.id,
        profile: { id: 'bob' },
        presence: { cursor: 7 },
        internal: {},
      },
    };
    expect(await bob.take('presence-changed')).toEqual(expected);
    expect(await ann.take('presence-changed')).toEqual(expected);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[PRES-2] keeps the fields that an update leaves out', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    bob.send('presence-update', { presence: { cursor: 7 }, internal: { viewId: 'a' } });
    bob.send('presence-update', { internal: { viewId: 'b' } });
    bob.send('presence-update', { presence: { cursor: 8 } });
    bob.send('presence-update', {});
    await bob.fence();
    await ann.fence();
    const seen = ann
      .unread('presence-changed')
      .map(({ userInfo: { presence, internal } }) => ({ presence, internal }));
    expect(seen).toEqual([
      { presence: { cursor: 7 }, internal: { viewId: 'a' } },
      { presence: { cursor: 7 }, internal: { viewId: 'b' } },
      { presence: { cursor: 8 }, internal: { viewId: 'b' } },
      { presence: { cursor: 8 }, internal: { viewId: 'b' } },
    ]);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[PRES-3] sets no profile and no user, whatever a client says', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    bob.send('presence-update', {
      presence: {},
      profile: { id: 'admin' },
      userInfo: { id: 'ann', profile: { id: 'admin' } },
      userId: 'ann',
    });
    const { userInfo } = await ann.take('presence-changed');
    expect(userInfo).toMatchObject({ id: 'bob', profile: { id: 'bob' } });
    for (const peer of [ann, bob]) peer.close();
  });

  test('[SYNC-28] of all who announced themselves is in sync-resp, by user, the caller included', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const silent = await joiner(server, library, 'silent');
    ann.send('presence-update', { presence: { at: 1 } });
    await ann.fence();
    const bob = await new Peer(server, library, 'bob').connect();
    bob.send('presence-update', { presence: { at: 2 } });
    const { peerPresence } = await bob.sync();
    expect(Object.keys(peerPresence).sort()).toEqual(['ann', 'bob']);
    expect(peerPresence.bob).toMatchObject({ id: 'bob', replicaId: bob.id, presence: { at: 2 } });
    const cem = await new Peer(server, library, 'cem').connect();
    expect(Object.keys((await cem.sync()).peerPresence)).not.toContain('cem');
    for (const peer of [ann, bob, cem, silent]) peer.close();
  });

  test('[PRES-5] [PRES-6] ends with the last connection of the user, and says which replica that was', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const first = await joiner(server, library);
    const second = await joiner(server, library);
    for (const peer of [second, first]) {
      peer.send('presence-update', { presence: {} });
      await ann.take('presence-changed', ({ replicaId }) => replicaId === peer.id);
    }
    // The one that is shown leaves: the other is shown again, and the user is not gone.
    first.close();
    await ann.take('presence-changed', ({ replicaId }) => replicaId === second.id);
    expect(ann.unread('presence-offline')).toEqual([]);
    second.close();
    expect(await ann.take('presence-offline')).toEqual({
      type: 'presence-offline',
      userId: 'bob',
      replicaId: second.id,
    });
    ann.close();
  });

  test('[SOCK-10] [PRES-5] [MSG-8] of two sockets of one replica ends with the second', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const tab = await joiner(server, library);
    const other = await joiner(server, library, 'bob', { id: tab.id });
    const marker = set('items/1', 'marker', 1);
    await ann.write(marker);
    for (const peer of [tab, other]) expect((await peer.take('op-re')).operations).toEqual([marker]);
    const fromTab = set('items/1', 'from', 'tab');
    await tab.write(fromTab);
    // To the server they are two connections: the other tab has to be told.
    expect((await other.take('op-re')).operations).toEqual([fromTab]);
    tab.send('presence-update', { presence: {} });
    await ann.take('presence-changed');
    tab.close();
    await tab.ended();
    other.send('presence-update', { presence: { still: 'here' } });
    await ann.take('presence-changed', ({ userInfo }) => JSON.stringify(userInfo.presence).includes('still'));
    expect(ann.unread('presence-offline')).toEqual([]);
    other.send('disconnecting', { reason: 'closed' });
    await ann.take('presence-offline');
    expect((await other.ended()).code).toBe(1000);
    ann.close();
  });

  test('[LIMIT-6] over the limit is refused, and not shown', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await new Peer(server, library, 'bob').connect();
    bob.send('presence-update', { presence: { large: 'x'.repeat(100_000) } });
    expect((await bob.ended()).code).toBeGreaterThanOrEqual(4000);
    await ann.fence();
    expect(ann.unread('presence-changed')).toEqual([]);
    ann.close();
  });
});

describe('over HTTP', () => {
  test('[HTTP-1] replies come in order, and only to the messages of the request', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const poller = new Peer(server, library, 'poller');
    await ann.write(set('items/1', 'x', 1));
    const { messages } = await poller.post([
      { type: 'heartbeat' },
      { type: 'presence-update', presence: {} },
      { type: 'unheard-of' },
      poller.syncMessage(),
      { type: 'ack', nonce: 'n' },
      { type: 'heartbeat', timestamp: 'old clients add one' },
    ]);
    expect(messages.map(({ type }) => type)).toEqual([
      'heartbeat-response',
      'presence-changed',
      'sync-resp',
      'heartbeat-response',
    ]);
    const sync = messages.find((message) => message.type === 'sync-resp');
    expect(Object.keys(sync!.peerPresence)).toContain('poller');
    expect((await ann.take('presence-changed')).userInfo.id).toBe('poller');
    ann.close();
  });

  test('[PRES-11] two devices of one user are told of each other first, then of themselves', async () => {
    const library = fresh();
    const phone = new Peer(server, library, 'ann');
    const laptop = new Peer(server, library, 'ann');
    await phone.poll();
    for (const [caller, other] of [
      [laptop, phone],
      [phone, laptop],
    ] as const) {
      const { messages } = await caller.post([
        { type: 'presence-update', presence: {} },
        caller.syncMessage(),
      ]);
      const told = messages.flatMap((message) =>
        message.type === 'presence-changed' ? [message.userInfo.replicaId] : [],
      );
      expect(told).toEqual([other.id, caller.id]);
      // The client takes what comes last, and this has to be itself again.
      const sync = messages.find((message) => message.type === 'sync-resp')!;
      expect(sync.peerPresence.ann?.replicaId).toBe(caller.id);
    }
  });

  test('[PRES-1] [MSG-8] a user on a socket is seen by a poller, and the poller by the socket', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    ann.send('presence-update', { presence: { on: 'socket' } });
    await ann.fence();
    const bob = new Peer(server, library, 'bob');
    const { peerPresence } = await bob.poll();
    expect(Object.keys(peerPresence).sort()).toEqual(['ann', 'bob']);
    expect((await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'bob')).replicaId).toBe(
      bob.id,
    );
    await bob.post([{ type: 'disconnecting' }]);
    expect((await ann.take('presence-offline')).userId).toBe('bob');
    ann.close();
  });

  test('[PRES-9] a lease does not outlive a later socket of the same replica', async () => {
    await composed({ presenceLeaseMs: 60_000 }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = new Peer(app, library, 'bob');
      const { ackedTimestamp: since } = await bob.poll();
      await bob.connect();
      bob.send('presence-update', { presence: {} });
      await bob.sync({ since });
      bob.close();
      const { userId } = await ann.take('presence-offline');
      expect(userId).toBe('bob');
      ann.close();
    });
  });

  test('[PRES-10] a socket keeps a user present whose lease ends', async () => {
    await composed({ presenceLeaseMs: 300 }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const phone = await joiner(app, library, 'bob');
      phone.send('presence-update', { presence: { on: 'phone' } });
      await ann.take('presence-changed', ({ replicaId }) => replicaId === phone.id);
      const laptop = new Peer(app, library, 'bob');
      await laptop.poll();
      await ann.take('presence-changed', ({ replicaId }) => replicaId === laptop.id);
      // When the lease is over the phone is the one that is shown.
      await ann.take('presence-changed', ({ replicaId }) => replicaId === phone.id);
      const cem = await new Peer(app, library, 'cem').connect();
      const seen = await cem.sync();
      expect(seen.peerPresence.bob?.replicaId).toBe(phone.id);
      expect(ann.unread('presence-offline')).toEqual([]);
      for (const peer of [ann, phone, cem]) peer.close();
    });
  });

  test('[PRES-7] [PRES-8] presence of pollers ends even when nobody asks again, and no poller is told of the expired', async () => {
    await composed({ presenceLeaseMs: 300 }, async (app) => {
      const library = fresh();
      const gone = new Peer(app, library, 'gone');
      await gone.poll();
      const ann = await founder(app, library);
      await expect
        .poll(async () => Object.keys(await app.core.get(library).getPresence()), { timeout: 5_000 })
        .toEqual([]);
      const { peerPresence } = await new Peer(app, library, 'late').poll();
      expect(Object.keys(peerPresence)).toEqual(['late']);
      ann.close();
    });
  });
});
