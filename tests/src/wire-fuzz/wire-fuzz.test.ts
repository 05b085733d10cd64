import { afterAll, beforeAll, expect, test } from 'vitest';
import { AbusedServer } from '../abuse/abused-server.js';
import { Bystanders } from '../abuse/bystanders.js';
import { libraryLeft } from '../abuse/rest.js';
import { type FuzzOptions, fuzz } from './fuzz.js';

/* A slice of what `pnpm fuzz:wire` does for a night; it says how to look at what was found. */
const SEED = 20_261_125;
const INPUTS = 1_000;
/** Warming up: not the same inputs, and none that the night gets to. */
const WARM_FROM = 10_000_000;
/** What stays of those who were refused is bounded, and small; a leak of a KiB for each input would be as much. */
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;

let server: AbusedServer;
let bystanders: Bystanders;
beforeAll(async () => {
  server = await AbusedServer.start({ libraryIdleMs: 500, presenceLeaseMs: 500 });
  bystanders = await Bystanders.start(server);
}, 90_000);
afterAll(async () => {
  await bystanders?.stop();
  await server?.stop();
});

test(`[REFUSE-3] ${INPUTS} inputs of all grammars are each answered properly, and disturb nobody (seed ${SEED})`, async () => {
  const options: FuzzOptions = {
    server,
    seed: SEED,
    from: 0,
    to: INPUTS,
    attackedLibrary: bystanders.library,
  };
  await fuzz({ ...options, from: WARM_FROM, to: WARM_FROM + 300 });
  await libraryLeft(server);
  const before = await server.measure();

  const { inputs, outcomes, findings } = await fuzz(options);
  const again = ({ number }: { number: number }) => `pnpm fuzz:wire --seed ${SEED} --only ${number}`;
  expect(findings.map((finding) => ({ ...finding, again: again(finding) }))).toEqual([]);
  expect(inputs).toBe(INPUTS);
  // What is refused at the first glance tests no more than that: some of each kind get further.
  expect(outcomes['frames, whole']?.lives).toBeGreaterThan(30);
  for (const kind of ['http', 'token', 'upload', 'file']) expect(outcomes[kind]?.['200']).toBeGreaterThan(0);
  expect(outcomes.upgrade?.['101']).toBeGreaterThan(0);

  await libraryLeft(server);
  const after = await server.measure();
  expect(after.heapBytes - before.heapBytes).toBeLessThan(MAX_GROWTH_BYTES);
  expect(after.handles).toBeLessThanOrEqual(before.handles);
  expect((await bystanders.finish()).problems).toEqual([]);
  expect((await server.log()).errors).toEqual([]);
  expect(server.death).toBeUndefined();
}, 180_000);
