import { expect, test } from 'vitest';
import { LongWork, TURN_SIZE } from './long-work.js';
import { memoryStorage } from './memory.js';
import { systemScheduler } from './scheduler.js';
import type { Storage } from './storage/storage.js';
import { VirtualScheduler } from './testing/virtual-scheduler.js';
import { type Device, World } from './testing/world.js';

test('one at a time has its turn, in the order in which they asked, and others have theirs between', async () => {
  const scheduler = new VirtualScheduler();
  const work = new LongWork(scheduler);
  const had: string[] = [];
  for (const name of ['first', 'second', 'third']) work.ask(TURN_SIZE, () => had.push(name));
  work.ask(TURN_SIZE, () => work.ask(TURN_SIZE, () => had.push('asked in its turn')));
  const seen: number[] = [];
  while (await scheduler.step()) seen.push(had.length);
  expect(had).toEqual(['first', 'second', 'third', 'asked in its turn']);
  // A turn of the event loop between any two.
  expect(seen).toEqual([0, 1, 1, 2, 2, 3, 3, 3, 3, 4]);
});

test('what is small shares a turn, as far as there is room, in the order in which they asked', async () => {
  const scheduler = new VirtualScheduler();
  const work = new LongWork(scheduler);
  const had: number[] = [];
  for (const part of [0.5, 0.25, 0.25, 0.25, 1, 3, 0.25]) work.ask(part * TURN_SIZE, () => had.push(part));
  const seen: number[] = [];
  while (await scheduler.step()) seen.push(had.length);
  expect(had).toEqual([0.5, 0.25, 0.25, 0.25, 1, 3, 0.25]);
  expect(seen).toEqual([0, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
});

test('of many immediates that Node runs in one go, one has its turn', async () => {
  const work = new LongWork(systemScheduler);
  let had = 0;
  const all = Array.from({ length: 20 }, () => work.next().then(() => had++));
  // Whatever is scheduled like this comes around once for each turn.
  const between: number[] = [];
  while (had < 20) {
    await new Promise((resolve) => setImmediate(resolve));
    between.push(had);
  }
  await Promise.all(all);
  expect(between.every((count, index) => count - (between[index - 1] ?? 0) <= 1)).toBe(true);
});

test('libraries with much to fold at the same time do so slice by slice, one in each turn', async () => {
  const slices: string[] = [];
  const world = new World({ storage: noting(slices, memoryStorage()) });
  runTogether(world.time);
  const libraries = ['a', 'b', 'c'];
  const devices: Device[] = [];
  for (const library of libraries) {
    const device = world.device('ana', { library }).connect();
    await device.sync({ operations: [device.create('items/1', { id: '1' })] });
    devices.push(device);
  }
  for (const device of devices) {
    for (let n = 0; n < TURN_SIZE; n++) await device.push(device.set('items/1', 'n', n));
  }
  const most: number[] = [];
  const end = world.time.now() + 5_000;
  for (let before = 0; await world.time.step(end); before = slices.length) most.push(slices.length - before);
  expect(new Set(slices)).toEqual(new Set(libraries));
  expect(Math.max(...most)).toBe(1);
});

test('long replies are read page by page, one in each turn', async () => {
  const pages: number[] = [];
  const world = new World({ storage: notingPages(pages, memoryStorage()) });
  runTogether(world.time);
  const founder = await world.founder();
  for (let n = 2; n < 1_000; n += 100) {
    await founder.push(...Array.from({ length: 100 }, (_, i) => founder.create(`items/${n + i}`, { n })));
  }
  const readers = ['bo', 'cleo'].map((user) => world.device(user).connect());
  for (const reader of readers) reader.send(reader.syncMessage());
  const most: number[] = [];
  for (let goesOn = true, before = 0; goesOn; before = pages.length) {
    goesOn = await world.time.step();
    most.push(pages.length - before);
  }
  for (const reader of readers) expect(reader.all('sync-resp')[0]?.operations).toHaveLength(1_001);
  expect(pages).toEqual([256, 256, 256, 256, 256, 256, 233, 233]);
  // The first two of each come at once: a reply of one page does not wait for a turn.
  expect(most.filter((count) => count > 0)).toEqual([4, 1, 1, 1, 1]);
});

/** What is to run soon runs in one go, as immediates do in Node. */
function runTogether(time: VirtualScheduler): void {
  const soon = time.soon.bind(time);
  let waiting: (() => void)[] = [];
  time.soon = (task) => {
    waiting.push(task);
    if (waiting.length > 1) return;
    soon(() => {
      const all = waiting;
      waiting = [];
      for (const run of all) run();
    });
  };
}

/** The storage, where the id of a library is noted as often as it finds more than a few operations to fold. */
function noting(slices: string[], storage: Storage): Storage {
  return {
    ...storage,
    open: async (id) => {
      const library = await storage.open(id);
      const foldable = library.foldable.bind(library);
      library.foldable = async (query) => {
        const found = await foldable(query);
        if (found.operations.length > 10) slices.push(id);
        return found;
      };
      return library;
    },
  };
}

/** The storage, where the length of each page of operations is noted that is read. */
function notingPages(pages: number[], storage: Storage): Storage {
  return {
    ...storage,
    open: async (id) => {
      const library = await storage.open(id);
      const readOperations = library.readOperations.bind(library);
      library.readOperations = async function* (...range) {
        for await (const page of readOperations(...range)) {
          pages.push(page.length);
          yield page;
        }
      };
      return library;
    },
  };
}
