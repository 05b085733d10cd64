import { waitFor } from '../until.js';
import { AbusedServer, type Measures } from './abused-server.js';
import type { Scenario } from './attack.js';
import type { Report } from './bystander-program.js';
import { Bystanders } from './bystanders.js';
import { libraryLeft } from './rest.js';
import type { ProgramOptions } from './server-program.js';

export interface RunOptions {
  /** Counts of the full scenario times this. */
  scale: number;
  /** How long what goes on for a time goes on. */
  ms: number;
  /** Where the attack goes instead, beside the server that is looked at. */
  port?: number;
}

/** What became of a server that was attacked. */
export interface Outcome {
  notes: string[];
  before: Measures;
  after: Measures;
}

/** One that is attacked, and those who go on meanwhile. */
export interface Target {
  server: AbusedServer;
  bystanders: Bystanders;
}

const CALM_MS = 2_000;

/** Attacks a server of its own; tells too how bystanders fared, and what the log should not have. */
export async function run(
  scenario: Scenario,
  options: RunOptions,
): Promise<Outcome & { report: Report; errors: string[] }> {
  const target = await startTarget();
  try {
    await new Promise((resolve) => setTimeout(resolve, Math.min(options.ms, CALM_MS)));
    const outcome = await attacked(target, scenario, options);
    const report = await target.bystanders.finish();
    const { errors } = await target.server.log();
    return { ...outcome, report, errors };
  } finally {
    await stopTarget(target);
  }
}

/** Attacks; throws where the server dies, or does not let go of what it held. */
export async function attacked(
  { server, bystanders }: Target,
  scenario: Scenario,
  { scale, ms, port = server.port }: RunOptions,
): Promise<Outcome> {
  const notes: string[] = [];
  try {
    const before = await server.measure();
    await bystanders.phase('during');
    const aim = server.aside(port);
    await scenario({ server: aim, library: bystanders.library, scale, ms, note: (text) => notes.push(text) });
    await bystanders.phase('after');
    await libraryLeft(server);
    // Connections end when the server has seen that they did.
    await waitFor(async () => (await server.measure()).handles <= before.handles, {
      deadline: 60_000,
      describe: async () => (await server.measure()).handles,
    });
    return { notes, before, after: await server.measure() };
  } catch (error) {
    throw server.death ? new Error(server.death, { cause: error }) : error;
  }
}

export async function startTarget(more: ProgramOptions = {}): Promise<Target> {
  const server = await AbusedServer.start({ libraryIdleMs: 300, presenceLeaseMs: 300, ...more });
  const bystanders = await Bystanders.start(server).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  return { server, bystanders };
}

export async function stopTarget({ server, bystanders }: Target): Promise<void> {
  await bystanders.stop();
  await server.stop();
}
