import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hibernates, lifeOf } from './testing/hibernates.js';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

/** Of a token: one character that is not Latin, and the runtime takes two bytes for each. More than it keeps with a socket. */
const LONG_PATH = `/€${'x'.repeat(5_000)}`;
/** Leases name the user and the device: with three bytes a character, so many are more than a row holds. */
const LONG_USER = '€'.repeat(1_000);
const LONG_DEVICE = '€'.repeat(240);
const DEVICES = 500;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({ options: { presenceLeaseMs: 25_000 } });
});
afterAll(() => worker.stop());

const join = async (library: string, user: string, query = {}) =>
  Peer.open(worker.base, await worker.token(library, user, query), `${user}-1`);

describe.concurrent('where names are very long', () => {
  test('a socket that cannot be kept is closed when the object wakes, and the others stay', {
    timeout: 90_000,
  }, async () => {
    const ana = await join('sockets', 'ana', { below: LONG_PATH });
    const bob = await join('sockets', 'bob');
    await ana.start();
    await bob.start({ cursor: 1 });
    await hibernates(worker, 'sockets', await lifeOf(worker, 'sockets'));
    expect(await ana.whenClosed()).toMatchObject({ code: 1012 });
    bob.create('first', { text: 'after' });
    await bob.next(({ type }) => type === 'server-ack');
    expect(worker.errors).toEqual([]);
  });

  test('who polls from more devices than a row holds is gone in time, by an alarm', {
    timeout: 120_000,
  }, async () => {
    const bob = await join('leases', 'bob');
    await bob.start();
    for (let device = 1; device <= DEVICES; device += 10) {
      const some = Array.from({ length: 10 }, (_, index) => `${LONG_DEVICE}-${device + index}`);
      await Promise.all(some.map((replicaId) => worker.poll('leases', LONG_USER, { replicaId })));
    }
    const life = await lifeOf(worker, 'leases');
    const isOfLong = ({ userId }: Record<string, unknown>) => userId === LONG_USER;
    await bob.next((message) => message.type === 'presence-offline' && isOfLong(message), 0, 60_000);
    expect(await lifeOf(worker, 'leases')).not.toBe(life);
    expect(bob.closed).toBeNull();
    expect(worker.errors).toEqual([]);
  });
});
