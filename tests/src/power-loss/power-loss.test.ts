import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutPower, type Findings, whatEscaped } from './power-loss.js';
import { canRecord, compileRecorder } from './recorder.js';
import { type Recording, record, type StorageKind } from './recording.js';
import { openWorkplace } from './workplace.js';

/* A slice of what `pnpm powerloss` does for as long as it is let. */
const SEED = 20_261_128;
const KINDS: StorageKind[] = ['sharded', 'unified'];

const missing = !canRecord();
if (missing)
  console.warn(
    '\n*** The loss of power is NOT tested: that needs Linux and gcc (Debian, Ubuntu: apt-get install build-essential). ***\n',
  );
if (missing && process.env.CI) {
  test('the loss of power is tested here, which needs gcc', () => expect.fail('gcc is missing'));
}

describe.skipIf(missing)('after a loss of power', { timeout: 300_000 }, () => {
  let folder: string;
  let recorder: string;
  let hasFailed = false;
  beforeAll(() => {
    folder = openWorkplace();
    recorder = compileRecorder(folder);
  });
  afterAll(() => {
    if (!hasFailed) rmSync(folder, { recursive: true });
  });

  async function recordAndCut(changes: Partial<Recording>, cuts: number): Promise<Findings> {
    const recording: Recording = {
      kind: 'sharded',
      durability: 'full',
      seed: SEED,
      messages: 250,
      ...changes,
    };
    const journal = await record(recording, recorder, folder);
    writeFileSync(join(folder, 'recording.json'), JSON.stringify(recording));
    expect(whatEscaped(journal, join(folder, 'recorded')), 'changes that were not recorded').toEqual([]);
    return cutPower(journal, { recording, cuts, seed: SEED, folder });
  }

  /** Where they are not empty, the recording is kept, to look at a cut again. */
  function expectNone(findings: Findings['lost']): void {
    hasFailed = findings.length > 0;
    const again = `pnpm powerloss --in ${folder} --at ${findings[0]?.step}`;
    expect(findings, hasFailed ? again : undefined).toEqual([]);
  }

  test.each(KINDS)('[DUR-8] %s, full: all that was acknowledged is there', async (kind) => {
    const { lost, broken, recorded } = await recordAndCut({ kind }, 80);
    expectNone(broken);
    expectNone(lost);
    // Otherwise there was less to lose. Whether history is folded in so short a time is a matter of the machine.
    const { baselines: _, ...certain } = recorded;
    for (const [what, times] of Object.entries(certain)) expect(times, what).toBeGreaterThan(0);
  });

  test.each(KINDS)('[DUR-9] %s, normal: the last moments are gone, and nothing is broken', async (kind) => {
    const { withLoss, broken } = await recordAndCut({ kind, durability: 'normal', messages: 150 }, 30);
    expectNone(broken);
    expect(withLoss).toBeGreaterThan(0);
  });

  test('what does not sync is found: SQLite', async () => {
    const { withLoss, broken } = await recordAndCut({ kind: 'unified', planted: 'synchronous off' }, 30);
    expect(withLoss).toBeGreaterThan(0);
    expect(broken).not.toEqual([]);
  });

  test('what does not sync is found: names of files and folders', async () => {
    const planted = 'no sync of files and folders';
    const { withLoss } = await recordAndCut({ planted, messages: 20 }, 10);
    expect(withLoss).toBeGreaterThan(0);
  });
});
