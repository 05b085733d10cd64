import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

const MIB = 1024 * 1024;
/** What a row of an object's database has for a value: see docs/cloudflare.md. */
const LONGEST_VALUE = 1_934_464;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.stop());

const join = async (library: string) =>
  Peer.open(worker.base, await worker.token(library, 'ana'), `ana-${library}`);

/** The text of an item's snapshot, `length` bytes of JSON. */
const itemOf = (length: number) => ({ text: 'x'.repeat(length - JSON.stringify({ text: '' }).length) });

test('a value is stored up to what a row can hold, and refused beyond, with all that came before it kept', async () => {
  const ana = await join('values');
  await ana.start();
  // The bound is of the patch: { op, value } around the item's fields.
  const around = JSON.stringify({ op: 'initialize', value: {} }).length - '{}'.length;
  ana.create('longest', itemOf(LONGEST_VALUE - around));
  await ana.next(({ type }) => type === 'server-ack');
  ana.create('too-long', itemOf(LONGEST_VALUE - around + 1));
  expect((await ana.whenClosed()).code).toBe(4130);
  expect(await worker.control('values', 'getDocumentSnapshot', 'items', 'longest')).not.toBeNull();
  expect(await worker.control('values', 'getDocumentSnapshot', 'items', 'too-long')).toBeNull();
});

test('a message of 30 MiB is taken, and one that the runtime does not take closes its socket alone', async () => {
  const [ana, bob] = [await join('messages'), await join('messages')];
  await ana.start();
  await bob.start();
  const founding = (bytes: number) => ({
    ...{ type: 'sync', replicaId: ana.replicaId, timestamp: ana.now(), schemaVersion: 1, since: null },
    ...{ resyncAll: false, operations: [] },
    baselines: Array.from({ length: bytes / MIB }, (_, index) => ({
      ...{ oid: `items/large${index}`, timestamp: ana.now() },
      snapshot: itemOf(MIB - 200),
    })),
  });
  const replies = ana.received.length;
  ana.send(founding(30 * MIB));
  await ana.next(({ type }) => type === 'sync-resp', replies, 60_000);
  expect(await worker.control('messages', 'getDocumentSnapshot', 'items', 'large29')).not.toBeNull();
  ana.send(founding(33 * MIB));
  expect((await ana.whenClosed(60_000)).code).toBe(1009);
  expect(bob.closed).toBeNull();
}, 120_000);

test('a request is taken up to 32 MiB, and answered with 413 beyond', async () => {
  const headers = { authorization: `Bearer ${await worker.token('requests', 'ana')}` };
  const post = async (bytes: number) => {
    const empty = JSON.stringify({ messages: [], padding: '' });
    const body = JSON.stringify({ messages: [], padding: 'x'.repeat(bytes - empty.length) });
    return (await fetch(`${worker.base}/verdant`, { method: 'POST', headers, body })).status;
  };
  for (const [bytes, status] of [
    [32 * MIB - 1, 200],
    [32 * MIB, 200],
    [32 * MIB + 1, 413],
  ] as const) {
    expect(await post(bytes), `${bytes} bytes`).toBe(status);
  }
}, 120_000);
