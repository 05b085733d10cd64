import { Peer } from '../../../packages/cloudflare/src/testing/peer.js';
import { type RunningWorker, startWorker } from '../../../packages/cloudflare/src/testing/start-worker.js';
import { type Summary, summarize } from '../statistics.js';
import type { Case, Work } from './work.js';

/** After so long nothing more is written of what came before: it is settled, folded, and the object rests. */
const SETTLED_MS = 5_000;
const MANY = 100;
const OBJECTS = 1_000;

/** What Cloudflare has paid by the row, in one library with two devices on sockets. */
export const workerCost: Work = {
  name: 'worker-cost',
  title: 'on Cloudflare: rows that are written and read',
  goal: 'none: told',
  run: async ({ runs, say }) => {
    const counts: Record<string, Rows[]> = {};
    for (let run = 1; run <= runs; run++) {
      const worker = await startWorker({ countRows: true });
      try {
        for (const [name, rows] of Object.entries(await countAll(worker)))
          counts[name] = [...(counts[name] ?? []), rows];
      } finally {
        await worker.stop();
      }
      say(`run ${run} is done`);
    }
    return Object.entries(counts).flatMap(([name, rows]) => [
      told(
        `${name}: written`,
        rows.map(({ written }) => written),
      ),
      told(
        `${name}: read`,
        rows.map(({ read }) => read),
      ),
    ]);
  },
};

interface Rows {
  written: number;
  read: number;
}

async function countAll(worker: RunningWorker): Promise<Record<string, Rows>> {
  const library = 'counted';
  const join = async (user: string) => Peer.open(worker.base, await worker.token(library, user), `${user}-1`);
  const total = () => worker.control<Rows>(library, 'rows');
  const settled = () => new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const counted: Record<string, Rows> = {};
  const count = async (name: string, times: number, work: (time: number) => Promise<unknown>) => {
    const before = await total();
    for (let time = 0; time < times; time++) {
      await work(time);
      await settled();
    }
    const after = await total();
    counted[name] = {
      written: (after.written - before.written) / times,
      read: (after.read - before.read) / times,
    };
  };

  const ana = await join('ana');
  ana.acknowledges();
  await ana.start();
  await count(`${OBJECTS} objects, founded in one message`, 1, () => found(ana));
  const bob = await join('bob');
  bob.acknowledges();
  await count(`a first sync of ${OBJECTS} objects`, 1, () => bob.start());
  const change = (time: number) =>
    whenAcked(ana, () => ana.change(`item${time}`, { op: 'set', name: 'n', value: time }));
  await count('a change by itself', 5, change);
  await count(`${MANY} changes in one message`, 1, () =>
    whenAcked(ana, () =>
      ana.change('item1', ...Array.from({ length: MANY }, (_, value) => ({ op: 'set', name: 'n', value }))),
    ),
  );
  const since = ana.now();
  await count('a sync with nothing new, over a new socket', 3, async () => {
    bob.close();
    await bob.whenClosed();
    const again = await join('bob');
    again.acknowledges();
    await again.start({}, since);
    again.close();
  });
  await worker.poll(library, 'ana');
  await settled();
  const polled = ana.now();
  await count('a poll with nothing new', 3, () => worker.poll(library, 'ana', { since: polled }));
  return counted;
}

async function whenAcked(peer: Peer, write: () => string): Promise<void> {
  const written = write();
  await peer.next(({ type, timestamp }) => type === 'server-ack' && String(timestamp) >= written);
}

async function found(peer: Peer): Promise<void> {
  const from = peer.received.length;
  const baselines = Array.from({ length: OBJECTS }, (_, item) => ({
    oid: `items/item${item}`,
    timestamp: peer.now(),
    snapshot: { n: item, title: `Item ${item}`, note: 'what an item of a list may say' },
  }));
  const { replicaId } = peer;
  const head = { type: 'sync', replicaId, timestamp: peer.now(), schemaVersion: 1, since: null };
  peer.send({ ...head, resyncAll: false, operations: [], baselines });
  await peer.next(({ type }) => type === 'sync-resp', from);
}

const told = (name: string, measured: number[]): Case => ({
  name,
  unit: 'rows',
  figures: { ours: summarize(measured) satisfies Summary },
  goals: [],
  details: {},
});
