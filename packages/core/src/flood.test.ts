import { VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from './limits.js';
import { BURST_SECONDS } from './rate.js';
import { type Device, World } from './testing/world.js';

const beats = (device: Device, count: number) => {
  for (let n = 0; n < count; n++) device.raw('{"type":"heartbeat"}');
};
const answered = (device: Device) => device.all('heartbeat-response').length;
const busy = { code: VerdantErrorCode.Busy, status: 503 };

describe('a socket', () => {
  const ten = () => new World({ limits: { maxMessagesPerSecondPerConnection: 10, maxSlowedSeconds: 20 } });

  test('[LIMIT-12] that sends more than its rate is read no further for as long as it owes, and loses nothing', async () => {
    const world = ten();
    const ana = world.device('ana').connect();
    const bob = world.device('bob').connect();
    beats(bob, 100);
    expect(bob.paused).toBe(false);
    beats(bob, 20);
    expect(bob.paused).toBe(true);
    beats(ana, 1);
    await world.settle(1_999);
    expect([answered(ana), answered(bob)]).toEqual([1, 120]);
    expect([ana.paused, bob.paused]).toEqual([false, true]);
    await world.settle(1);
    expect(bob.paused).toBe(false);
    beats(bob, 1);
    expect(bob.paused).toBe(true);
    await world.settle(100);
    expect([bob.paused, bob.isOpen, answered(bob)]).toEqual([false, true, 121]);
  });

  test('[LIMIT-12] that goes on like that is closed with a reason; one that rests is not', async () => {
    const world = ten();
    const [bob, cat] = [world.device('bob').connect(), world.device('cat').connect()];
    beats(bob, 100);
    const since = world.time.now();
    for (let second = 0; second < 30 && bob.isOpen; second++) {
      if (!bob.paused) beats(bob, 20);
      if (second % 15 === 0) beats(cat, 140);
      await world.settle(1_000);
    }
    expect(bob.closed).toMatchObject({
      code: 1013,
      reason: expect.stringContaining('sent too much for over 20 s'),
    });
    expect(world.time.now() - since).toBeGreaterThan(18_000);
    expect(cat.isOpen).toBe(true);
    beats(cat, 140);
    await world.settle(60_000);
    expect(cat.isOpen).toBe(true);
  });

  test('[LIMIT-12] that cannot be told to stop is closed as soon as it owes too much', async () => {
    const world = ten();
    const bob = world.device('bob').connect();
    beats(bob, 100 + 200);
    expect(bob.isOpen).toBe(true);
    beats(bob, 1);
    expect(bob.closed?.code).toBe(1013);
  });

  test('[LIMIT-12] [REFUSE-6] that floods while it is held is slowed, too', async () => {
    const world = ten();
    const bob = world.device('bob');
    for (let attempt = 0; attempt < 2; attempt++) {
      bob.connect();
      bob.raw('nonsense');
      await world.settle();
    }
    expect(world.core.refusals.held).toBe(1);
    beats(bob, 120);
    expect(bob.paused).toBe(true);
    await world.settle(60_000);
    expect(world.core.refusals.held).toBe(0);
  });

  test('[LIMIT-12] that acknowledges what others write is not slowed for it', async () => {
    const world = ten();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    await bob.sync();
    for (let n = 0; n < 150; n++) {
      const change = ana.operation('items/1', { op: 'set', name: 'n', value: n });
      await ana.post({ type: 'op', timestamp: ana.stamp(), operations: [change] });
      bob.send({ type: 'ack', timestamp: change.timestamp });
    }
    await world.settle();
    expect(bob.paused).toBe(false);
    beats(bob, 120);
    expect(bob.paused).toBe(true);
  });

  test('[SOCK-11] that is slowed is not read again while the server closes', async () => {
    const world = ten();
    const bob = world.device('bob').connect();
    beats(bob, 110);
    const closed = world.core.close();
    await world.settle(5_000);
    await closed;
    expect(bob.closed?.code).toBe(1012);
  });
});

describe('a user', () => {
  test('[LIMIT-13] is slowed on every socket that sends, and over HTTP told to come later; others are not', async () => {
    const world = new World({ limits: { maxMessagesPerSecondPerUser: 10 } });
    const [phone, laptop] = [world.device('bob').connect(), world.device('bob').connect()];
    const ana = world.device('ana').connect();
    beats(phone, 60);
    beats(laptop, 90);
    expect([phone.paused, laptop.paused, ana.paused]).toEqual([false, true, false]);
    beats(phone, 1);
    expect(phone.paused).toBe(true);
    await expect(laptop.post({ type: 'heartbeat' })).rejects.toMatchObject({ ...busy, retryAfter: 6 });
    await ana.post({ type: 'heartbeat' });
    await world.settle(5_200);
    expect([phone.paused, laptop.paused]).toEqual([false, false]);
    await laptop.post({ type: 'heartbeat' });
  });

  test('[LIMIT-13] may send so many bytes', async () => {
    const world = new World({ limits: { maxBytesPerSecondPerUser: 1_000 } });
    const bob = world.device('bob');
    await bob.post({ type: 'from-the-future', filler: 'x'.repeat(12_000) });
    await expect(bob.post({ type: 'heartbeat' })).rejects.toMatchObject({ ...busy, retryAfter: 3 });
    await world.settle(3_000);
    await bob.post({ type: 'heartbeat' });
  });

  test('[LIMIT-13] may send so many requests; one that is refused costs nothing', async () => {
    const world = new World({ limits: { maxRequestsPerSecondPerUser: 1 } });
    const bob = world.device('bob');
    for (let n = 0; n < 10; n++) world.core.intake(bob.token()).done();
    for (let n = 0; n < 20; n++) await bob.post({ type: 'heartbeat' }).catch(() => {});
    await expect(bob.post({ type: 'heartbeat' })).rejects.toMatchObject(busy);
    await world.settle(1_000);
    await bob.post({ type: 'heartbeat' });
  });

  test('[LIMIT-14] may have so many bytes under way, over sockets and HTTP together', async () => {
    const world = new World({ limits: { maxMessageBytes: 1_000, maxUnfinishedBytesPerUser: 1_000 } });
    const [phone, laptop] = [world.device('bob').connect(), world.device('bob').connect()];
    const ana = world.device('ana').connect();
    phone.unfinished(300);
    phone.unfinished(600);
    const request = world.core.intake(laptop.token());
    request.arrived(400);
    expect(() => request.arrived(1)).toThrow(expect.objectContaining(busy));
    ana.unfinished(1_000);
    laptop.unfinished(1);
    expect(laptop.closed).toMatchObject({ code: 1013, reason: expect.stringContaining('under way') });
    request.done();
    request.done();
    phone.unfinished(1_000);
    expect([phone.isOpen, ana.isOpen]).toEqual([true, true]);
    phone.cut();
    world.core.intake(laptop.token()).arrived(1_000);
  });

  test('[LIMIT-14] needs room for one message of the largest size', () => {
    expect(() => new World({ limits: { maxMessageBytes: 1_000, maxUnfinishedBytesPerUser: 999 } })).toThrow(
      /'limits.maxUnfinishedBytesPerUser' has to be at least limits.maxMessageBytes \(1000\).*it is 999/,
    );
  });
});

describe('what clients do by default is not slowed', () => {
  test('[LIMIT-12] 10,000 changes made offline, were each of them a message', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    beats(ana, 10_000);
    expect(ana.paused).toBe(false);
    await world.settle();
    expect(answered(ana)).toBe(10_000);
  });

  test('[LIMIT-13] a founding of the largest size', () => {
    const { maxBytesPerSecondPerUser, maxMessageBytes, maxUnfinishedBytesPerUser } = defaultLimits;
    expect(maxBytesPerSecondPerUser * BURST_SECONDS).toBeGreaterThanOrEqual(maxMessageBytes);
    expect(maxUnfinishedBytesPerUser).toBeGreaterThanOrEqual(maxMessageBytes);
  });

  test('[LIMIT-13] as many devices of one user as may be connected, all of them polling each second', async () => {
    const world = new World();
    const token = world.device('ana').token();
    for (let second = 0; second < 600; second++) {
      for (let device = 0; device < defaultLimits.maxConnectionsPerUser; device++) {
        world.core.intake(token).done();
      }
      await world.settle(1_000);
    }
  });
});
