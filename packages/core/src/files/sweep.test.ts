import type { LibraryId } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from '../memory.js';
import type { Storage } from '../storage/storage.js';
import { MemoryFiles } from '../testing/memory-files.js';
import { World } from '../testing/world.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** A storage that tells which libraries were opened, and fails to open one, or to list, when told to. */
function watched() {
  const inner = memoryStorage();
  const opened: LibraryId[] = [];
  const failing: { open: string | null; list: boolean } = { open: null, list: false };
  const storage: Storage = {
    limits: inner.limits,
    readRevocations: () => inner.readRevocations(),
    putRevocation: (row) => inner.putRevocation(row),
    close: () => inner.close(),
    async *list(after) {
      if (failing.list) throw new Error('list failed');
      yield* inner.list(after);
    },
    async open(id) {
      if (failing.open === id) throw new Error(`open of ${id} failed`);
      opened.push(id);
      return inner.open(id);
    },
  };
  return { storage, opened, failing };
}

/** Libraries that everybody has left for good, each with a file that nothing refers to. */
async function abandoned(...libraries: string[]) {
  const files = new MemoryFiles();
  const { storage, opened, failing } = watched();
  const world = new World({ storage, fileStorage: files, fileDeleteExpirationDays: 2 });
  for (const library of libraries) {
    const ana = await world.founder('ana', { library });
    const file = { id: 'f', name: 'a.png', type: 'image/png', size: 3 };
    const stored = world.core.files.upload(ana.token(), file, new Response(new Uint8Array(3)).body!);
    for (let turn = 0; turn < 4; turn++) await world.settle();
    await stored;
    await ana.push(ana.set('items/1', 'image', { '@@type': 'file', id: 'f' }));
    await ana.push(ana.set('items/1', 'image', null));
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await world.settle(3_000);
    ana.disconnect();
  }
  await world.settle(5 * 60_000);
  opened.length = 0;
  return { world, files, opened, failing };
}

const errorsIn = (world: World) => JSON.stringify(world.logged.filter(([level]) => level === 'error'));

describe('the daily sweep', () => {
  test('[FILE-10] deletes expired files of libraries that nobody opens any more, and not before', async () => {
    const { world, files } = await abandoned('one', 'two');
    await world.settle(2 * DAY - HOUR);
    expect([...files.bytes.keys()]).toEqual(['one/f', 'two/f']);
    await world.settle(DAY);
    expect([...files.bytes.keys()]).toEqual([]);
  });

  test('comes an hour after the start, once a day, and leaves no library in memory', async () => {
    const { world, opened } = await abandoned('one', 'two');
    await world.settle(HOUR);
    expect(opened).toEqual(['one', 'two']);
    await world.settle(DAY);
    // They left memory in between, or they would not have been opened again.
    expect(opened).toEqual(['one', 'two', 'one', 'two']);
  });

  test('goes on where a library cannot be opened, and says so', async () => {
    const { world, files, failing } = await abandoned('one', 'two');
    failing.open = 'one';
    await world.settle(3 * DAY);
    expect([...files.bytes.keys()]).toEqual(['one/f']);
    expect(errorsIn(world)).toContain('tried again tomorrow');
    failing.open = null;
    await world.settle(DAY);
    expect([...files.bytes.keys()]).toEqual([]);
  });

  test('comes again where libraries could not be listed, and says so', async () => {
    const { world, files, failing } = await abandoned('one');
    failing.list = true;
    await world.settle(3 * DAY);
    expect(files.bytes.size).toBe(1);
    expect(errorsIn(world)).toContain('could not be listed');
    failing.list = false;
    await world.settle(DAY);
    expect(files.bytes.size).toBe(0);
  });

  test('ends with the service', async () => {
    const { world, opened } = await abandoned('one');
    await world.core.close();
    await world.settle(3 * DAY);
    expect(opened).toEqual([]);
    expect(errorsIn(world)).toBe('[]');
  });

  test('does not come where there is no file storage', async () => {
    const { storage, opened } = watched();
    const world = new World({ storage });
    (await world.founder()).disconnect();
    await world.settle(5 * 60_000);
    opened.length = 0;
    await world.settle(3 * DAY);
    expect(opened).toEqual([]);
  });
});
