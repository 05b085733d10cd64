import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cutPower, type Findings } from './power-loss.js';
import { canRecord, compileRecorder } from './recorder.js';
import { type Durability, type Planted, type Recording, record, type StorageKind } from './recording.js';
import { openWorkplace } from './workplace.js';

/*
 * pnpm powerloss --cuts 10000                 both storages, durability full and normal, a new recording for each 500 cuts
 * pnpm powerloss --kind sharded --durability full --seed 7
 * pnpm powerloss --planted "synchronous off"  what a fault looks like
 * pnpm powerloss --in <folder> --at 1234      one cut of a recording that was kept, again
 */
const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    messages: { type: 'string', default: '400' },
    kind: { type: 'string' },
    durability: { type: 'string' },
    planted: { type: 'string' },
    in: { type: 'string' },
    at: { type: 'string' },
  },
});
const CUTS_PER_RECORDING = 500;
const print = (text: string) => process.stdout.write(`${text}\n`);
const RECORDING = 'recording.json';

if (values.in !== undefined) {
  const recording = JSON.parse(readFileSync(join(values.in, RECORDING), 'utf8')) as Recording;
  const at = values.at === undefined ? undefined : [Number(values.at)];
  const cuts = Number(values.cuts);
  const options = { recording, cuts, seed: recording.seed, folder: values.in, ...(at && { at }) };
  print(JSON.stringify(await cutPower(join(values.in, 'journal'), options), null, 2));
  process.exit();
}
if (!canRecord()) {
  print('This needs Linux and gcc (Debian, Ubuntu: apt-get install build-essential).');
  process.exit(1);
}

let hasFailed = false;
for (const kind of (values.kind ? [values.kind] : ['sharded', 'unified']) as StorageKind[]) {
  for (const durability of (values.durability ? [values.durability] : ['full', 'normal']) as Durability[]) {
    const started = Date.now();
    const all = { cuts: 0, withLoss: 0, steps: 0, checkpoints: 0 };
    for (let left = Number(values.cuts), seed = Number(values.seed); left > 0; seed++) {
      const { cuts, withLoss, recorded } = await run(
        kind,
        durability,
        seed,
        Math.min(left, CUTS_PER_RECORDING),
      );
      all.cuts += cuts;
      all.withLoss += withLoss;
      all.steps += recorded.steps;
      all.checkpoints += recorded.checkpoints;
      left -= CUTS_PER_RECORDING;
    }
    const seconds = Math.round((Date.now() - started) / 1000);
    print(`${kind}, ${durability}: ${JSON.stringify(all)}, ${seconds} s`);
  }
}
process.exit(hasFailed ? 1 : 0);

async function run(kind: StorageKind, durability: Durability, seed: number, cuts: number): Promise<Findings> {
  const planted = values.planted ? { planted: values.planted as Planted } : {};
  const recording: Recording = { kind, durability, seed, messages: Number(values.messages), ...planted };
  const folder = openWorkplace();
  writeFileSync(join(folder, RECORDING), JSON.stringify(recording));
  const journal = await record(recording, compileRecorder(folder), folder);
  const findings = await cutPower(journal, { recording, cuts, seed, folder });
  const failures = durability === 'full' ? [...findings.broken, ...findings.lost] : findings.broken;
  if (failures.length === 0) rmSync(folder, { recursive: true });
  for (const { step, what } of failures) {
    hasFailed = true;
    print(`${what}\n  again: pnpm powerloss --in ${folder} --at ${step}`);
  }
  return findings;
}
