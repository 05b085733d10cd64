import { setTimeout as sleep } from 'node:timers/promises';
import type { IdleSocketsFigures, IdleSocketsLoad } from '../../load/idle-sockets-program.js';
import { holdLoad } from '../../load-process.js';
import { residentMemory } from '../../process-figures.js';
import { type ServerProcess, withServer } from '../../server-process.js';
import { summarize } from '../../statistics.js';
import { type Case, profileOf, type RunOptions } from '../work.js';

const SOCKETS_OF_A_LIBRARY = 10;
const ALLOWED_BYTES_OF_A_SOCKET = 15 * 1024;
/** Buffers of the handshake and the sync are let go. */
const SETTLE_MS = 3_000;
const CONNECT_DEADLINE_MS = 300_000;

interface SocketFigures extends IdleSocketsFigures {
  sockets: number;
  /** What each added to what is resident. */
  bytesOfASocket: number;
  heapBytesOfASocket: number;
}

/** What a socket takes that has synced and does nothing. */
export async function idleSockets(options: RunOptions): Promise<Case> {
  const figures: Record<'ours' | 'floor', SocketFigures[]> = { ours: [], floor: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const subject of ['ours', 'floor'] as const) {
      const told = await holdSockets(subject, options, run);
      figures[subject].push(told);
      options.say(
        `${told.sockets} idle sockets, run ${run + 1}, ${subject}: ${Math.round(told.bytesOfASocket)} bytes each ` +
          `(in the heap ${Math.round(told.heapBytesOfASocket)}, connected in ${told.connectSeconds.toFixed(1)} s)`,
      );
    }
  }
  const bytes = (subject: 'ours' | 'floor') => figures[subject].map(({ bytesOfASocket }) => bytesOfASocket);
  return {
    name: 'idle sockets',
    unit: 'bytes resident for each socket',
    figures: { ours: summarize(bytes('ours')), floor: summarize(bytes('floor')) },
    goals: [
      {
        text: '15 KB by what a socket takes',
        atLeast: 1,
        measured: summarize(bytes('ours').map((of) => ALLOWED_BYTES_OF_A_SOCKET / of)),
      },
    ],
    details: figures,
  };
}

/** Connects them, and asks what that added. */
export async function holdSockets(
  subject: 'ours' | 'floor',
  options: RunOptions,
  run: number,
): Promise<SocketFigures> {
  const libraries = Math.ceil(1_000 * Math.min(1, options.scale));
  const load = { socketsOfALibrary: SOCKETS_OF_A_LIBRARY };
  const profile = profileOf(options, 'rest', 'idle sockets', run + 1, subject);
  return withServer(subject, { profile }, async (server) => {
    const connect = (of: string, count: number) =>
      holdLoad<IdleSocketsLoad, IdleSocketsFigures>(
        'idle-sockets',
        { ...load, base: server.base, of, libraries: count },
        CONNECT_DEADLINE_MS,
      );
    const warmUp = await connect('warm-up', 50);
    const before = await settledMemory(server);
    const { figures, end } = await connect('library', libraries);
    const after = await settledMemory(server);
    await Promise.all([end(), warmUp.end()]);
    const sockets = libraries * SOCKETS_OF_A_LIBRARY;
    return {
      ...figures,
      sockets,
      bytesOfASocket: (after.resident - before.resident) / sockets,
      heapBytesOfASocket: (after.heap - before.heap) / sockets,
    };
  });
}

export async function settledMemory(server: ServerProcess): Promise<{ resident: number; heap: number }> {
  await sleep(SETTLE_MS);
  const { heapUsed } = await server.memory();
  return { resident: residentMemory(server.pid), heap: heapUsed };
}
