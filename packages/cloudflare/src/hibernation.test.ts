import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hibernates, lifeOf } from './testing/hibernates.js';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({ options: { presenceLeaseMs: 20_000 } });
});
afterAll(() => worker.stop());

let libraries = 0;
const newLibrary = () => `library-${++libraries}`;
const join = async (library: string, user: string, replicaId = `${user}-1`, query = {}) =>
  Peer.open(worker.base, await worker.token(library, user, query), replicaId);
describe.concurrent('after the object was taken from memory', () => {
  test('what one writes reaches everybody, and is stored', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const [ana, bob, cleo] = await Promise.all([
      join(library, 'ana'),
      join(library, 'bob'),
      join(library, 'cleo'),
    ]);
    await ana.start();
    ana.create('first', { text: 'before' });
    await ana.next(({ type }) => type === 'server-ack');
    await bob.start();
    await cleo.start();
    const life = await lifeOf(worker, library);
    await hibernates(worker, library, life);

    const { timestamp } = ana.create('second', { text: 'after' });
    await ana.next((message) => message.type === 'server-ack' && message.timestamp === timestamp);
    for (const peer of [bob, cleo]) {
      const told = await peer.next(({ type }) => type === 'op-re');
      expect(told).toMatchObject({ replicaId: 'ana-1', operations: [{ oid: 'items/second' }] });
    }
    expect(await worker.control(library, 'getDocumentSnapshot', 'items', 'second')).toMatchObject({
      text: 'after',
    });
    expect([ana, bob, cleo].map(({ closed }) => closed)).toEqual([null, null, null]);
  });

  test('presence is as it was, changes are told, and who leaves is missed', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const [ana, bob] = await Promise.all([join(library, 'ana'), join(library, 'bob')]);
    await ana.start({ cursor: 1 });
    await bob.start({ cursor: 2 });
    const life = await lifeOf(worker, library);
    await hibernates(worker, library, life);

    const cleo = await join(library, 'cleo');
    const { peerPresence } = await cleo.start();
    expect(peerPresence).toMatchObject({
      ana: { presence: { cursor: 1 }, profile: { name: 'Name of ana' }, replicaId: 'ana-1' },
      bob: { presence: { cursor: 2 } },
    });
    const from = bob.received.length;
    ana.send({ type: 'presence-update', replicaId: 'ana-1', presence: { cursor: 3 } });
    expect(
      await bob.next(({ type, replicaId }) => type === 'presence-changed' && replicaId === 'ana-1', from),
    ).toMatchObject({ userInfo: { presence: { cursor: 3 }, internal: {} } });
    ana.breakOff();
    expect(await bob.next(({ type }) => type === 'presence-offline')).toMatchObject({ userId: 'ana' });
    expect(Object.keys(await worker.control<object>(library, 'getPresence')).sort()).toEqual(['bob', 'cleo']);
  });

  test('an acknowledgement of what was sent before counts', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const [ana, bob] = await Promise.all([join(library, 'ana'), join(library, 'bob')]);
    await ana.start();
    await bob.start();
    const created = ana.create('first', { text: 'x' });
    await bob.next(({ type }) => type === 'op-re');
    const life = await lifeOf(worker, library);
    await hibernates(worker, library, life);

    bob.send({ type: 'ack', replicaId: 'bob-1', timestamp: created.timestamp });
    await ana.next(({ type, timestamp }) => type === 'global-ack' && timestamp === created.timestamp);
    expect(await worker.control(library, 'getInfo')).toMatchObject({ globalAck: created.timestamp });
  });

  test('private documents stay private', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const [ana, phone, bob] = await Promise.all([
      join(library, 'ana'),
      join(library, 'ana', 'ana-2'),
      join(library, 'bob'),
    ]);
    for (const peer of [ana, phone, bob]) await peer.start();
    const life = await lifeOf(worker, library);
    await hibernates(worker, library, life);

    ana.create('secret', { text: 'mine' }, 'ana');
    ana.create('open', { text: 'ours' });
    await phone.next(
      ({ type, operations }) => type === 'op-re' && JSON.stringify(operations).includes('secret'),
    );
    await bob.next(({ type, operations }) => type === 'op-re' && JSON.stringify(operations).includes('open'));
    expect(JSON.stringify(bob.received)).not.toContain('secret');
  });

  test('a token that expires meanwhile ends its socket, by an alarm', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const ana = await join(library, 'ana', 'ana-1', { expiresIn: '25' });
    await ana.start();
    await ana.whenClosed(60_000);
    expect(ana.closed?.code).toBe(4012);
  });

  test('who polled is gone when that is over, by an alarm, and the others are told', {
    timeout: 90_000,
  }, async () => {
    const library = newLibrary();
    const bob = await join(library, 'bob');
    await bob.start();
    await worker.poll(library, 'ana');
    await bob.next(
      ({ type, userInfo }) => type === 'presence-changed' && (userInfo as { id: string }).id === 'ana',
    );
    const life = await lifeOf(worker, library);
    await bob.next(({ type }) => type === 'presence-offline', 0, 90_000);
    expect(await lifeOf(worker, library)).not.toBe(life);
  });

  test('the heartbeat of 5.x is answered without waking it', { timeout: 90_000 }, async () => {
    const library = newLibrary();
    const ana = await join(library, 'ana');
    await ana.start();
    const life = await lifeOf(worker, library);
    for (let beats = 1; beats <= 8; beats++) {
      const from = ana.received.length;
      ana.send({ type: 'heartbeat' });
      await ana.next(({ type }) => type === 'heartbeat-response', from);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
    expect(await lifeOf(worker, library)).not.toBe(life);
  });
});
