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
export async function idleSockets(options: RunOptions): Promise<Case[]> {
  return [await runCase(true, options), await runCase(false, options)];
}

/** With a file each, what ours keeps open for 1,000 libraries is most of it: told, and no matter of sockets. */
async function runCase(oneFile: boolean, options: RunOptions): Promise<Case> {
  const name = `idle sockets, ${oneFile ? 'one file' : 'a file each'}`;
  const subjects = oneFile ? (['ours', 'floor'] as const) : (['ours'] as const);
  const figures: Record<'ours' | 'floor', SocketFigures[]> = { ours: [], floor: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const subject of subjects) {
      const profile = profileOf(options, 'rest', name, run + 1, subject);
      const told = await holdSockets(subject, oneFile, options.scale, profile);
      figures[subject].push(told);
      options.say(
        `${told.sockets} ${name}, run ${run + 1}, ${subject}: ${Math.round(told.bytesOfASocket)} bytes each ` +
          `(in the heap ${Math.round(told.heapBytesOfASocket)}, connected in ${told.connectSeconds.toFixed(1)} s)`,
      );
    }
  }
  const bytes = (subject: 'ours' | 'floor') => figures[subject].map(({ bytesOfASocket }) => bytesOfASocket);
  const goal = {
    text: '15 KB by what a socket takes',
    atLeast: 1,
    measured: summarize(bytes('ours').map((of) => ALLOWED_BYTES_OF_A_SOCKET / of)),
  };
  return {
    name,
    unit: 'bytes resident for each socket',
    figures: Object.fromEntries(subjects.map((subject) => [subject, summarize(bytes(subject))])),
    goals: oneFile ? [goal] : [],
    details: figures,
  };
}

/** Connects them, and asks what that added. */
export async function holdSockets(
  subject: 'ours' | 'floor',
  oneFile: boolean,
  scale: number,
  profile?: string,
): Promise<SocketFigures> {
  const libraries = Math.ceil(1_000 * Math.min(1, scale));
  const load = { socketsOfALibrary: SOCKETS_OF_A_LIBRARY };
  const settings = subject === 'ours' ? { oneFile } : {};
  return withServer(subject, { profile, settings }, async (server) => {
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
