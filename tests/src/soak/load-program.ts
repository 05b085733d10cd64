import { setTimeout as pause } from 'node:timers/promises';
import { Library } from './library.js';
import { networkLine } from './line.js';
import { LoadClient } from './load-client.js';

/*
 * Everybody who uses the server while it is soaked, in a process of their own: in each library some devices on sockets, and one
 * that polls. All write; sockets come and go, always as the same replicas.
 */

/** Rate: operations a second over all libraries; null: as fast as they are confirmed. */
export type Question = { ask: 'rate'; rate: number | null } | { ask: 'report' };

export type Told = 'ready' | Progress;

export interface Progress {
  acknowledged: number;
  delivered: number;
  reconnections: number;
  failedPolls: number;
  /** Why the first of them failed. */
  pollFailure: string | undefined;
  cpuSeconds: number;
}

const [, , base = '', libraryCount = '20', socketCount = '4'] = process.argv;
const IN_FLIGHT = 8;
/** Of one that cannot keep up: what waits is sent no faster. */
const MAX_BEHIND = 200;
const TICK_MS = 20;
const BEAT_EVERY_MS = 15_000;
const POLL_EVERY_MS = 5_000;
const RECONNECT_EVERY_MS = 30_000;

let rate: number | null = 0;
let reconnections = 0;
let failedPolls = 0;
let pollFailure: string | undefined;

const libraries = Array.from({ length: Number(libraryCount) }, (_, n) => new Library(`soak-${n}`));
const deviceOf = (library: Library, n: number) =>
  new LoadClient(networkLine(base, library.id, `user-${n}`), library, `${library.id}-${n}`);
const sockets = libraries.flatMap((library) =>
  Array.from({ length: Number(socketCount) }, (_, n) => deviceOf(library, n)),
);
const pollers = libraries.map((library) => deviceOf(library, Number(socketCount)));

async function write(): Promise<void> {
  let due = 0;
  let turn = 0;
  let last = performance.now();
  for (;;) {
    await pause(TICK_MS);
    const now = performance.now();
    if (rate === null) {
      for (const client of sockets) while (client.inFlight < IN_FLIGHT) client.write();
    } else {
      due = Math.min(due + (rate * (now - last)) / 1_000, rate);
      for (; due >= 1; due--) {
        const client = sockets[turn++ % sockets.length]!;
        if (client.inFlight < MAX_BEHIND) client.write();
      }
    }
    last = now;
  }
}

/** Does something with one after the other, so that each has its turn once in this time. */
async function inTurn(
  clients: LoadClient[],
  everyMs: number,
  act: (client: LoadClient) => void,
): Promise<void> {
  for (let turn = 0; ; turn++) {
    await pause(everyMs / clients.length);
    act(clients[turn % clients.length]!);
  }
}

const tell = (told: Told) => process.send?.(told);
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
process.on('message', (question: Question) => {
  if (question.ask === 'rate') rate = question.rate;
  const all = [...sockets, ...pollers];
  const { user, system } = process.cpuUsage();
  tell({
    acknowledged: all.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    delivered: all.reduce((sum, { delivered }) => sum + delivered, 0),
    reconnections,
    failedPolls,
    pollFailure,
    cpuSeconds: (user + system) / 1e6,
  });
});

for (const client of sockets) client.connect();
void write();
void inTurn(sockets, BEAT_EVERY_MS, (client) => client.beat());
void inTurn(sockets, RECONNECT_EVERY_MS, (client) => {
  reconnections++;
  client.connect();
});
void inTurn(pollers, POLL_EVERY_MS, (client) => {
  if (rate !== 0) client.write();
  client.poll().catch((error: Error) => {
    failedPolls++;
    pollFailure ??= `${error.message} ${String(error.cause ?? '')}`;
  });
});
tell('ready');
