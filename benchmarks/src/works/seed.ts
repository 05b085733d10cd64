import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../load/clock.js';
import { baselinesText, changesText } from '../load/library-content.js';
import { syncOnce } from '../load/single-sync.js';
import { type Subject, withServer } from '../server-process.js';

/** A library that has been used for a while. */
export interface SeedLibrary {
  name: string;
  objects: number;
  /** How many operations are not folded yet; none: nobody holds folding up. */
  operations: number;
}

/** The user whose replica holds folding up, where there are operations: it has not acknowledged anything. */
export const AWAY = 'away';

/**
 * Data of a server with these libraries, made once by its own server over its own wire, to be copied for each run. Calls
 * `work` with the folder, and removes it afterwards.
 */
export async function withSeed<T>(
  subject: Subject,
  program: string | undefined,
  libraries: readonly SeedLibrary[],
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `verdant-bench-seed-${subject}-`));
  try {
    await withServer(subject, { program, keptIn: directory }, async ({ base }) => {
      for (const library of libraries) await seed(base, library);
    });
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function seed(base: string, { name, objects, operations }: SeedLibrary): Promise<void> {
  const now = createClock();
  const sync = { base, library: name, transport: 'socket' } as const;
  const founder = { ...sync, user: 'founder' };
  const baselines = baselinesText(objects, now);
  const since = now();
  await syncOnce({ ...founder, timestamp: since, baselines });
  if (operations === 0) return;
  await syncOnce({ ...sync, user: AWAY, timestamp: now() });
  const changes = changesText(operations, objects, now);
  await syncOnce({ ...founder, timestamp: now(), since, operations: changes });
}
