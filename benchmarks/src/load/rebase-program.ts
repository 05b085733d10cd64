import { BEGINNING } from '../load-process.js';
import { cpuSeconds } from '../process-figures.js';
import { OperationLog } from './operation-log.js';
import { connectReplica } from './replica.js';

/*
 * Replicas that hold folding up come back, and acknowledge: from then on all of their libraries' operations can be folded.
 * How many are left is read from the databases, for no message tells it.
 */

export interface RebaseLoad {
  base: string;
  serverPid: number;
  /** Whose replica it is. */
  user: string;
  /** A library, and its database. */
  warmUp: FoldedLibrary;
  libraries: FoldedLibrary[];
}

export interface FoldedLibrary {
  name: string;
  database: string;
}

export interface RebaseFigures {
  operations: number;
  /** From the acknowledgements until everything was folded, the pause before it included. */
  seconds: number;
  serverCpuSeconds: number;
}

const LOOK_EVERY_MS = 20;
const load = JSON.parse(process.argv[2]!) as RebaseLoad;

await fold([load.warmUp]);
const figures = await fold(load.libraries);
process.send!(figures, () => process.exit());

async function fold(libraries: FoldedLibrary[]): Promise<RebaseFigures> {
  const logs = libraries.map(({ database }) => new OperationLog(database));
  const operations = logs.reduce((sum, log) => sum + log.length, 0);
  const replicas = [];
  for (const { name } of libraries) replicas.push(await connectReplica(load.base, name, load.user));
  // What the server did to tell them everything is none of it.
  await new Promise((resolve) => setTimeout(resolve, 1_000));

  process.send!(BEGINNING);
  const started = performance.now();
  const cpuBefore = cpuSeconds(load.serverPid);
  for (const [index, replica] of replicas.entries()) {
    replica.send({ type: 'ack', timestamp: logs[index]!.last });
  }
  while (logs.some((log) => log.length > 0)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const seconds = (performance.now() - started) / 1000;
  const serverCpuSeconds = cpuSeconds(load.serverPid) - cpuBefore;
  for (const log of logs) log.close();
  return { operations, seconds, serverCpuSeconds };
}
