import type { YjsFanOutFigures, YjsFanOutLoad } from '../load/yjs-fan-out-program.js';
import type { YjsFirstLoadFigures, YjsFirstLoadLoad } from '../load/yjs-first-load-program.js';
import type { YjsIdleLoad } from '../load/yjs-idle-program.js';
import { holdLoad, runLoad } from '../load-process.js';
import { withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { saturate } from './fan-out.js';
import { syncAfresh, WARM_UP } from './first-sync.js';
import { holdSockets, settledMemory } from './rest/idle-sockets.js';
import { withSeed } from './seed.js';
import { type Case, type RunOptions, ratios, type Work } from './work.js';

/** The same works next to a server of another kind: Yjs documents, which it merges, on hocuspocus with SQLite. */
export const hocuspocus: Work = {
  name: 'hocuspocus',
  title: 'beside hocuspocus and Yjs: fan-out, first load, idle sockets',
  goal: 'of our choice: at least as good',
  run: async (options) => [
    await fanOutBeside(2, options),
    await fanOutBeside(50, options),
    await firstLoad(1_000, options),
    await firstLoad(10_000, options),
    await idle(options),
  ],
};

const DEADLINE_MS = 180_000;
const WRITERS = 2;
const WINDOW = 32;

async function fanOutBeside(sockets: number, options: RunOptions): Promise<Case> {
  const perCpuSecond = { ours: [] as number[], hocuspocus: [] as number[] };
  const details: Case['details'] = { ours: [], hocuspocus: [] };
  for (let run = 0; run < options.runs; run++) {
    const ours = await saturate('ours', sockets, options);
    const theirs = await withServer('hocuspocus', {}, ({ base, pid }) =>
      runLoad<YjsFanOutLoad, YjsFanOutFigures>(
        'yjs-fan-out',
        {
          base,
          serverPid: pid,
          sockets,
          writers: WRITERS,
          window: WINDOW,
          warmUpMs: 5_000 * options.scale,
          measureMs: 3_000 * options.scale,
        },
        DEADLINE_MS,
      ),
    );
    if (theirs.delivered === 0) throw new Error(`Nothing arrived in ${theirs.seconds} s`);
    details.ours!.push(ours);
    details.hocuspocus!.push(theirs);
    perCpuSecond.ours.push(ours.delivered / ours.serverCpuSeconds);
    perCpuSecond.hocuspocus.push(theirs.delivered / theirs.serverCpuSeconds);
    options.say(
      `fan-out to ${sockets}, run ${run + 1}: ${Math.round(perCpuSecond.ours.at(-1)!)} of ours, ` +
        `${Math.round(perCpuSecond.hocuspocus.at(-1)!)} of hocuspocus delivered per CPU-second`,
    );
  }
  return compared(
    `fan-out, ${sockets} sockets`,
    'operations delivered per CPU-second of the server',
    perCpuSecond,
    details,
  );
}

/** Without operations that are not folded, which a Yjs document has no like of. */
async function firstLoad(objects: number, options: RunOptions): Promise<Case> {
  const perCpuSecond = { ours: [] as number[], hocuspocus: [] as number[] };
  const details: Case['details'] = { ours: [], hocuspocus: [] };
  const library = { name: 'large', objects, operations: 0 };
  await withSeed('ours', undefined, [WARM_UP, library], async (seed) => {
    for (let run = 0; run < options.runs; run++) {
      const ours = await syncAfresh('ours', 'socket', library, { copyOf: seed, scale: options.scale });
      const theirs = await withServer('hocuspocus', {}, ({ base, pid }) =>
        runLoad<YjsFirstLoadLoad, YjsFirstLoadFigures>(
          'yjs-first-load',
          { base, serverPid: pid, objects, measureMs: 3_000 * options.scale },
          DEADLINE_MS,
        ),
      );
      details.ours!.push(ours);
      details.hocuspocus!.push(theirs);
      perCpuSecond.ours.push(objects / ours.serverCpuSeconds);
      perCpuSecond.hocuspocus.push(objects / theirs.serverCpuSeconds);
      options.say(
        `first load of ${objects}, run ${run + 1}: ${(ours.serverCpuSeconds * 1000).toFixed(1)} CPU-ms of ours, ` +
          `${(theirs.serverCpuSeconds * 1000).toFixed(1)} of hocuspocus`,
      );
    }
  });
  return compared(
    `first load, ${objects} objects`,
    'objects told per CPU-second of the server',
    perCpuSecond,
    details,
  );
}

const SOCKETS_OF_A_DOCUMENT = 10;

async function idle(options: RunOptions): Promise<Case> {
  const socketsInAMegabyte = { ours: [] as number[], hocuspocus: [] as number[] };
  const details: Case['details'] = { ours: [], hocuspocus: [] };
  for (let run = 0; run < options.runs; run++) {
    const ours = await holdSockets('ours', true, options.scale);
    const theirs = await holdYjsSockets(options);
    details.ours!.push(ours);
    details.hocuspocus!.push(theirs);
    socketsInAMegabyte.ours.push(2 ** 20 / ours.bytesOfASocket);
    socketsInAMegabyte.hocuspocus.push(2 ** 20 / theirs.bytesOfASocket);
    options.say(
      `idle, run ${run + 1}: ${Math.round(ours.bytesOfASocket)} bytes resident for each socket of ours, ` +
        `${Math.round(theirs.bytesOfASocket)} of hocuspocus`,
    );
  }
  return compared('idle sockets', 'sockets in a megabyte of resident memory', socketsInAMegabyte, details);
}

async function holdYjsSockets({ scale }: RunOptions): Promise<{ bytesOfASocket: number }> {
  const documents = Math.ceil(100 * Math.min(1, scale));
  return withServer('hocuspocus', {}, async (server) => {
    const connect = (of: string, count: number) =>
      holdLoad<YjsIdleLoad, object>(
        'yjs-idle',
        { base: server.base, of, documents: count, socketsOfADocument: SOCKETS_OF_A_DOCUMENT },
        DEADLINE_MS,
      );
    const warmUp = await connect('warm-up', 50);
    const before = await settledMemory(server);
    const { end } = await connect('document', documents);
    const after = await settledMemory(server);
    await Promise.all([end(), warmUp.end()]);
    return { bytesOfASocket: (after.resident - before.resident) / (documents * SOCKETS_OF_A_DOCUMENT) };
  });
}

function compared(
  name: string,
  unit: string,
  rates: { ours: number[]; hocuspocus: number[] },
  details: Case['details'],
): Case {
  return {
    name,
    unit,
    figures: { ours: summarize(rates.ours), hocuspocus: summarize(rates.hocuspocus) },
    goals: [
      {
        text: 'times hocuspocus',
        atLeast: 1,
        measured: summarize(ratios(rates.ours, rates.hocuspocus)),
      },
    ],
    details,
  };
}
