import type { RunningWorker } from './start-worker.js';

/** The runtime takes an object from memory when it was idle for ten seconds; nobody can ask it to. */
const IDLE_MS = 12_000;

/** Differs after the library's object has left memory. */
export const lifeOf = (worker: RunningWorker, library: string): Promise<string> =>
  worker.control<string>(library, 'life');

/** Leaves the object alone until it has left memory. Looking wakes it, so that it is looked at no more often than that. */
export async function hibernates(worker: RunningWorker, library: string, life: string): Promise<void> {
  for (let looks = 0; looks < 4; looks++) {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    if ((await lifeOf(worker, library)) !== life) return;
  }
  throw new Error('The object stays in memory.');
}
