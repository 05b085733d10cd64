import { describe, expect, test } from 'vitest';
import { type Device, World } from '../testing/world.js';

const announce = (device: Device, at: number) => device.send({ type: 'presence-update', presence: { at } });
/** What it was told of others, by user, in order. */
const told = (device: Device, user: string) =>
  device
    .all('presence-changed')
    .filter(({ userInfo }) => userInfo.id === user)
    .map(({ userInfo }) => (userInfo.presence as { at: number }).at);

describe('presence', () => {
  test('[PRES-13] of many who change at the same time: each is told the latest of each, and its own changes all', async () => {
    const world = new World({ limits: { maxPresenceMessagesPerSecond: 100 } });
    const users = Array.from({ length: 10 }, (_, n) => world.device(`user-${n}`).connect());
    await world.settle();
    for (let at = 0; at < 50; at++) for (const user of users) announce(user, at);
    await world.settle(5_000);
    let messages = 0;
    for (const user of users) {
      for (const other of users) {
        const seen = told(user, other.user);
        expect(seen.at(-1)).toBe(49);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        if (other !== user) messages += seen.length;
        else expect(seen).toHaveLength(50);
      }
    }
    // One for each pair, and what is told at once. All of them would be 4,500.
    expect(messages).toBeLessThan(10 * 9 + 150);
    // At rest again, a change is told at once.
    announce(users[0]!, 50);
    await world.settle();
    expect(told(users[1]!, 'user-0').at(-1)).toBe(50);
  });

  test('[PRES-13] is told to a socket that reads slowly when it has read; the others do not wait', async () => {
    const world = new World();
    const [ana, bob, cat] = ['ana', 'bob', 'cat'].map((user) => world.device(user).connect());
    bob!.buffered = 100_000;
    for (let at = 0; at < 5; at++) announce(ana!, at);
    await world.settle(1_000);
    expect([told(bob!, 'ana'), told(cat!, 'ana')]).toEqual([[], [0, 1, 2, 3, 4]]);
    bob!.buffered = 0;
    await world.settle(1_000);
    expect(told(bob!, 'ana')).toEqual([4]);
  });

  test('[PRES-13] [PRES-8] that is over is not told later, and neither is what a socket has announced anew', async () => {
    const world = new World();
    const [ana, bob] = [world.device('ana').connect(), world.device('bob').connect()];
    const tablet = world.device('bob').connect();
    for (const device of [bob, tablet]) device.buffered = 100_000;
    announce(ana, 1);
    announce(tablet, 1);
    await world.settle(1_000);
    ana.disconnect();
    announce(bob, 2);
    await world.settle(1_000);
    for (const device of [bob, tablet]) device.buffered = 0;
    await world.settle(1_000);
    expect(bob.inbox.map(({ type }) => type)).toEqual([
      'presence-offline',
      'presence-changed',
      'presence-changed',
    ]);
    // First of the user's other device, then of itself.
    expect(told(bob, 'bob')).toEqual([1, 2]);
    expect(told(tablet, 'bob')).toEqual([1, 2]);
  });

  test('[PRES-4] of more devices than anybody has is not kept', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    for (let n = 0; n < 300; n++) {
      ana.send({ type: 'presence-update', replicaId: `r${n}`, presence: { at: n } });
    }
    await world.settle();
    ana.inbox = [];
    announce(ana, 300);
    await world.settle();
    expect(told(ana, 'ana')).toEqual([...Array.from({ length: 64 }, (_, n) => 236 + n), 300]);
    expect(await world.core.get('lib').getPresence()).toMatchObject({ ana: { presence: { at: 300 } } });
  });
});
