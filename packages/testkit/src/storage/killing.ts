import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { LibraryStorage, Storage } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { dump } from './dump.js';
import type { DurableStorageUnderTest, StorageTest } from './fixture.js';
import { Random } from './random.js';
import { oid } from './rows.js';
import { keysThrough, stepOf, take, WRITTEN_LIBRARIES } from './steps.js';

const ROUNDS = 10;
/** Acknowledgements that are waited for before the kill, at most. */
const MAX_WAIT_LINES = 60;

export function killContract(test: StorageTest<DurableStorageUnderTest>): void {
  test('what was acknowledged survives kill -9, and every change is whole', async ({
    underTest,
    storage,
  }) => {
    const random = new Random(Date.now());
    const reference = new Reference();
    let current: Storage = storage;
    for (let round = 0; round < ROUNDS; round++) {
      await current.close();
      const acknowledged = await killedWriter(underTest.writer, random);
      current = await underTest.reopen();
      for (const id of WRITTEN_LIBRARIES) {
        const library = await current.open(id);
        const head = (await library.load(0))?.head;
        const step = head ? stepOf(head) : 0;
        expect(step).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 0);
        const expected = await reference.after(id, step);
        expect(await everything(library, step)).toEqual(expected);
        while (await library.reclaim(5));
        expect(await everything(library, step)).toEqual(expected);
      }
    }
  });
}

/** Starts the writer, kills it at some instant, and returns the last step that it said was acknowledged, by library. */
async function killedWriter(
  [program, ...args]: DurableStorageUnderTest['writer'],
  random: Random,
): Promise<Map<LibraryId, number>> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  const acknowledged = new Map<LibraryId, number>();
  let wait = random.between(1, MAX_WAIT_LINES);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const [id, step] = line.split(' ') as [LibraryId, string];
    if (!WRITTEN_LIBRARIES.includes(id) || !Number.isInteger(Number(step))) {
      child.kill('SIGKILL');
      throw new Error(
        `The writer printed ${JSON.stringify(line)}: only writeUntilKilled may print to stdout`,
      );
    }
    acknowledged.set(id, Number(step));
    if (--wait > 0) continue;
    // At any instant of the next commit, and not always right behind the last.
    if (wait === 0) void delay(random.between(0, 4)).then(() => child.kill('SIGKILL'));
  }
  const [code] = await gone;
  expect(code, `The writer ended by itself. Does it run? ${[program, ...args].join(' ')}`).toBe(null);
  return acknowledged;
}

/** The written libraries as they should be, taken through the same steps in memory. */
class Reference {
  readonly #storage = memoryStorage();
  readonly #libraries = new Map<LibraryId, { library: LibraryStorage; step: number }>();

  /** Steps only go up: what was seen after one kill is still there after the next. */
  async after(id: LibraryId, step: number) {
    const place = this.#libraries.get(id) ?? { library: await this.#storage.open(id), step: 0 };
    this.#libraries.set(id, place);
    expect(step).toBeGreaterThanOrEqual(place.step);
    while (place.step < step) await take(place.library, ++place.step);
    return everything(place.library, step);
  }
}

async function everything(library: LibraryStorage, step: number) {
  const rows = await dump(library);
  const roots = Array.from({ length: 5 }, (_, index) => oid(`items/${index}`));
  const facts = await library.lookup({
    keys: keysThrough(step),
    replicas: [],
    access: roots,
    objects: roots,
  });
  return {
    ...rows,
    // In an order of ours, where the contract leaves it to the backend.
    loaded: rows.loaded && { ...rows.loaded, replicas: sorted(rows.loaded.replicas, 'id') },
    files: sorted(rows.files, 'id'),
    expiredFiles: sorted(rows.expiredFiles, 'id'),
    evictedFiles: sorted(rows.evictedFiles, 'id'),
    access: sorted(facts.access, 'root'),
    keys: facts.keys,
    objects: {
      baselines: sorted(facts.objects.baselines, 'oid'),
      operations: sorted(facts.objects.operations, 'oid'),
    },
  };
}

const sorted = <Row>(rows: readonly Row[], field: keyof Row): Row[] =>
  [...rows].sort((a, b) => (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0));
