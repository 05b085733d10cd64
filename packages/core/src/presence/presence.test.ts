import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { World } from '../testing/world.js';

describe('presence', () => {
  test('[PRES-1] [PRES-3] is told to everybody, the sender included, with the profile that the server has', async () => {
    const world = new World({ profiles: { get: async (id) => ({ id, name: `Name of ${id}` }) } });
    const ana = await world.founder();
    const bob = await world.member('bob');
    const unsynced = world.device('cat').connect();
    bob.send({ type: 'presence-update', presence: { at: 1 }, profile: { id: 'admin' } });
    await world.settle();
    const expected = {
      type: 'presence-changed',
      replicaId: bob.id,
      userInfo: {
        id: 'bob',
        replicaId: bob.id,
        profile: { id: 'bob', name: 'Name of bob' },
        presence: { at: 1 },
        internal: {},
      },
    };
    for (const socket of [ana, bob, unsynced]) expect(socket.all('presence-changed')).toEqual([expected]);
    const presence = await world.core.get('lib').getPresence();
    expect(presence.bob).toEqual(expected.userInfo);
  });

  test('[PRES-2] keeps what an update leaves out', async () => {
    const world = new World();
    const ana = await world.founder();
    ana.send({ type: 'presence-update', presence: { at: 1 }, internal: { viewId: 'x' } });
    ana.send({ type: 'presence-update', internal: { viewId: 'y' } });
    ana.send({ type: 'presence-update', presence: null });
    await world.settle();
    expect(
      ana.all('presence-changed').map(({ userInfo: { presence, internal } }) => [presence, internal]),
    ).toEqual([
      [{ at: 1 }, { viewId: 'x' }],
      [{ at: 1 }, { viewId: 'y' }],
      [null, { viewId: 'y' }],
    ]);
  });

  test('[PRES-4] of a user is what their replica announced that did so last', async () => {
    const world = new World();
    await world.founder();
    const [phone, laptop] = [await world.member('bob'), await world.member('bob')];
    for (const device of [phone, laptop, phone]) {
      device.send({ type: 'presence-update', presence: { on: device.id } });
      await world.settle();
      expect(await world.core.get('lib').getPresence()).toMatchObject({
        bob: { replicaId: device.id, presence: { on: device.id } },
      });
    }
  });

  test('[PRES-5] [PRES-6] ends with the last socket of a user, and names the replica', async () => {
    const world = new World();
    const ana = await world.founder();
    const [phone, laptop] = [await world.member('bob'), await world.member('bob')];
    phone.send({ type: 'presence-update', presence: { on: 'phone' } });
    laptop.send({ type: 'presence-update', presence: { on: 'laptop' } });
    await world.settle();
    ana.inbox = [];
    laptop.disconnect();
    await world.settle();
    expect(ana.all('presence-offline')).toEqual([]);
    expect(ana.all('presence-changed')).toMatchObject([{ userInfo: { presence: { on: 'phone' } } }]);
    phone.send({ type: 'disconnecting', reason: 'closing' });
    await world.settle();
    expect(ana.all('presence-offline')).toEqual([
      { type: 'presence-offline', userId: 'bob', replicaId: phone.id },
    ]);
    expect(await world.core.get('lib').getPresence()).toEqual({});
  });

  test('[PRES-7] [PRES-8] over HTTP ends some minutes after the last request, and the others are told', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    await bob.post({ type: 'presence-update', presence: { at: 1 } }, bob.syncMessage());
    await world.settle(4 * 60_000);
    await bob.post({ type: 'presence-update', presence: { at: 1 } });
    await world.settle(4 * 60_000);
    expect(ana.all('presence-offline')).toEqual([]);
    await world.settle(2 * 60_000);
    expect(ana.all('presence-offline')).toMatchObject([{ userId: 'bob' }]);
    const cat = world.device('cat').connect();
    expect((await cat.sync()).peerPresence).toEqual({});
  });

  test('[PRES-9] over HTTP does not outlive a later socket of the same replica', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    await bob.post({ type: 'presence-update', presence: {} }, bob.syncMessage());
    bob.connect();
    bob.send({ type: 'presence-update', presence: {} });
    await world.settle();
    bob.disconnect();
    await world.settle();
    expect(ana.all('presence-offline')).toHaveLength(1);
  });

  test('[PRES-14] of the caller comes last in the answer to its sync', async () => {
    const world = new World();
    await world.founder();
    const devices = ['bob', 'ana', 'cat'].map((user) => world.device(user));
    const poll = { type: 'presence-update', presence: {} };
    for (const device of devices) await device.post(poll, device.syncMessage());
    for (const device of devices) {
      const answer = (await device.post(poll, device.syncMessage())).at(-1);
      const present = Object.keys((answer?.type === 'sync-resp' && answer.peerPresence) || {});
      expect(present).toHaveLength(3);
      expect(present.at(-1)).toBe(device.user);
    }
  });

  test('[PRES-11] of two polling devices of one user: each is first told of the other', async () => {
    const world = new World();
    const phone = world.device('bob');
    const laptop = world.device('bob');
    const poll = { type: 'presence-update', presence: {} };
    await phone.post(poll, phone.syncMessage());
    const told = (await laptop.post(poll, laptop.syncMessage())).map((message): string =>
      message.type === 'presence-changed' ? message.userInfo.replicaId : message.type,
    );
    expect(told).toEqual([phone.id, laptop.id, 'sync-resp']);
    const [first, second] = await phone.post(poll);
    expect([first, second]).toMatchObject([{ replicaId: laptop.id }, { replicaId: phone.id }]);
  });

  test('[PRES-8] of a device that has left is no longer told to the user who stays', async () => {
    const world = new World();
    const phone = world.device('bob');
    const laptop = await world.member('bob');
    await phone.post({ type: 'presence-update', presence: {} }, phone.syncMessage());
    await phone.post({ type: 'disconnecting' });
    laptop.inbox = [];
    laptop.send({ type: 'presence-update', presence: {} });
    await world.settle();
    expect(laptop.all('presence-changed').map(({ replicaId }) => replicaId)).toEqual([laptop.id]);
  });

  test('[LIMIT-6] that is too large is refused', async () => {
    const world = new World({ limits: { maxPresenceBytes: 100 } });
    const ana = await world.founder();
    ana.send({ type: 'presence-update', presence: 'x'.repeat(200) });
    await world.settle();
    expect(ana.closed?.code).toBe(VerdantErrorCode.TooLarge);
  });

  test('events say who came and who left', async () => {
    const world = new World();
    const seen: string[] = [];
    world.core.events.subscribe('userConnected', ({ userId }) => seen.push(`+${userId}`));
    world.core.events.subscribe('userDisconnected', ({ userId }) => seen.push(`-${userId}`));
    const ana = await world.founder();
    const tablet = await world.member('ana');
    ana.disconnect();
    tablet.disconnect();
    expect(seen).toEqual(['+ana', '-ana']);
  });
});

describe('profiles', () => {
  test('[PRES-12] are cached for a while, and looked up again when invalidated', async () => {
    let calls = 0;
    const world = new World({ profiles: { get: () => ({ version: ++calls }) }, profileCacheMs: 1_000 });
    const version = async () => {
      const device = world.device('ana', { id: 'r', type: ReplicaType.Realtime });
      const [changed] = await device.post({ type: 'presence-update', presence: {} });
      return changed?.type === 'presence-changed' ? changed.userInfo.profile : null;
    };
    expect(await version()).toEqual({ version: 1 });
    expect(await version()).toEqual({ version: 1 });
    await world.settle(1_001);
    expect(await version()).toEqual({ version: 2 });
    world.core.profiles.invalidate('ana');
    expect(await version()).toEqual({ version: 3 });
  });

  test('[PRES-12] that cannot be had are asked for again, and hold up nothing', async () => {
    let calls = 0;
    const get = () => {
      if (++calls === 1) throw new Error('the database is away');
      return { id: 'ana', name: 'Ana' };
    };
    const world = new World({ profiles: { get } });
    const ana = await world.founder();
    ana.send({ type: 'presence-update', presence: {} });
    await world.settle();
    expect(ana.all('presence-changed')[0]?.userInfo.profile).toEqual({ id: 'ana' });
    const tablet = await world.member('ana');
    tablet.send({ type: 'presence-update', presence: {} });
    await world.settle();
    expect(tablet.all('presence-changed').at(-1)?.userInfo.profile).toEqual({ id: 'ana', name: 'Ana' });
    expect(world.logged.filter(([level]) => level === 'error')).toHaveLength(1);
  });

  test('[PRES-12] that take too long: the message goes on without', async () => {
    const world = new World({ profiles: { get: () => new Promise(() => {}) } });
    const ana = world.device('ana').connect();
    ana.send(ana.syncMessage());
    await world.settle(900);
    expect(ana.inbox).toEqual([]);
    await world.settle(200);
    expect(ana.all('sync-resp')).toHaveLength(1);
  });
});
