import { setTimeout as sleep } from 'node:timers/promises';
import type { VisitsFigures, VisitsLoad } from '../../load/visits-program.js';
import { runLoad } from '../../load-process.js';
import { openFiles } from '../../process-figures.js';
import { type ServerProcess, withServer } from '../../server-process.js';
import { summarize } from '../../statistics.js';
import { range } from '../range.js';
import { type Case, profileOf, type RunOptions } from '../work.js';

/** Of the goal's 0: as much as what else the process does to its heap comes to, over 2,000 libraries. */
const ALLOWED_BYTES_OF_A_LIBRARY = 64;
/** They leave as soon as they may; profiles and presence, which others outlive, go too. */
const SOON_FORGOTTEN = { libraryIdleMs: 500, presenceLeaseMs: 200, profileCacheMs: 1_000 };
/** As many verified tokens as ours remembers: from then on a new one takes the place of another. */
const REMEMBERED_TOKENS = 10_000;
const SETTLE_MS = 3_000;
const COLLECTIONS_AT_MOST = 30;
const STEADY_BYTES = 8 * 1024;
const LEAVING_DEADLINE_MS = 60_000;
/** So many times as many before: V8 makes its last code for what it meets rarely after some 10,000 libraries. */
const WARM_UP_TIMES = 5;
const VISITS_DEADLINE_MS = 180_000;

interface EvictionFigures {
  libraries: number;
  bytesOfALibrary: number;
  /** Outside of V8's heap. */
  externalBytesOfALibrary: number;
  residentBytesOfALibrary: number;
}

/** What is left in memory of libraries that were used once. */
export async function evictedLibraries(options: RunOptions): Promise<Case> {
  const figures: EvictionFigures[] = [];
  for (let run = 0; run < options.runs; run++) {
    const told = await visitAndForget(options, run);
    figures.push(told);
    options.say(
      `${told.libraries} evicted libraries, run ${run + 1}: ${told.bytesOfALibrary.toFixed(1)} bytes of heap each, ` +
        `${told.externalBytesOfALibrary.toFixed(1)} beside it, ${Math.round(told.residentBytesOfALibrary)} resident`,
    );
  }
  // Less than none, or next to none, is none.
  const bytes = figures.map(({ bytesOfALibrary }) => Math.max(1, bytesOfALibrary));
  return {
    name: 'evicted libraries',
    unit: 'bytes of heap that stay for each library',
    figures: { ours: summarize(bytes) },
    goals: [
      {
        text: '64 bytes by what an evicted library takes',
        atLeast: 1,
        measured: summarize(bytes.map((of) => ALLOWED_BYTES_OF_A_LIBRARY / of)),
      },
    ],
    details: { ours: figures },
  };
}

async function visitAndForget(options: RunOptions, run: number): Promise<EvictionFigures> {
  const count = Math.ceil(2_000 * Math.min(1, options.scale));
  const profile = profileOf(options, 'rest', 'evicted libraries', run + 1);
  return withServer('ours', { profile, settings: SOON_FORGOTTEN }, async (server) => {
    const found = { base: server.base, known: false, atOnce: 8 };
    const visit = (load: Pick<VisitsLoad, 'libraries' | 'polls' | 'freshTokens'>) =>
      runLoad<VisitsLoad, VisitsFigures>('visits', { ...found, ...load }, VISITS_DEADLINE_MS);
    const another = { libraries: range(0, 8), polls: REMEMBERED_TOKENS / 8, freshTokens: true };
    await visit(another);
    const first = 8 + WARM_UP_TIMES * count;
    await visit({ libraries: range(8, first), polls: 2 });
    const before = await memoryWithoutLibraries(server);
    await visit({ libraries: range(first, first + count), polls: 2 });
    const after = await memoryWithoutLibraries(server);
    const each = (field: 'heapUsed' | 'external' | 'rss') => (after[field] - before[field]) / count;
    return {
      libraries: count,
      bytesOfALibrary: each('heapUsed'),
      externalBytesOfALibrary: each('external'),
      residentBytesOfALibrary: each('rss'),
    };
  });
}

/** A library lets go of its file as it leaves; the last ones to leave are the last ones used. */
async function memoryWithoutLibraries(server: ServerProcess): Promise<NodeJS.MemoryUsage> {
  const deadline = performance.now() + LEAVING_DEADLINE_MS;
  for (let open = openFiles(server.pid, '.sqlite'); open > 0; open = openFiles(server.pid, '.sqlite')) {
    if (performance.now() > deadline) throw new Error(`${open} libraries did not leave memory`);
    await sleep(200);
  }
  await sleep(SETTLE_MS);
  return settled(server);
}

/** V8 lets go of code that is no longer run one collection after the other: that is not what is asked for. */
async function settled(server: ServerProcess): Promise<NodeJS.MemoryUsage> {
  let memory = await server.memory();
  for (let round = 0; round < COLLECTIONS_AT_MOST; round++) {
    const before = memory.heapUsed;
    memory = await server.memory();
    if (Math.abs(memory.heapUsed - before) < STEADY_BYTES) break;
  }
  return memory;
}
