import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from '../memory.js';
import type { LibraryChange, Storage } from '../storage/storage.js';
import { MemoryFiles } from '../testing/memory-files.js';
import { type Device, World } from '../testing/world.js';

const body = (bytes: number) => new Response(new Uint8Array(bytes)).body!;
const fileRef = (id: string) => ({ '@@type': 'file', id }) as const;

/** Begins an upload. `stream` stands for the bytes where they are not to come at once. */
function begin(world: World, device: Device, id: string, size = 3, stream = body(size)): Promise<void> {
  const done = world.core.files.upload(
    device.token(),
    { id, name: 'a.png', type: 'image/png', size },
    stream,
  );
  done.catch(() => {});
  return done;
}

async function upload(world: World, device: Device, id: string, bytes = 3): Promise<void> {
  const done = begin(world, device, id, bytes);
  for (let turn = 0; turn < 4; turn++) await world.settle();
  return done;
}

/** A body of which only the beginning comes. */
const stalled = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });

const DAY = 86_400_000;

describe('files', () => {
  test.each([
    [255, true],
    [256, false],
  ])('of a type of %i characters: no type is cut into another one', async (length, isKept) => {
    const world = new World({ fileStorage: new MemoryFiles() });
    const ana = await world.founder();
    const type = `image/${'x'.repeat(length - 6)}`;
    const done = world.core.files.upload(ana.token(), { id: 'f', name: 'a', type, size: 3 }, body(3));
    for (let turn = 0; turn < 4; turn++) await world.settle();
    await done;
    const info = await world.core.files.info(ana.token(), 'f');
    expect(info?.type).toBe(isKept ? type : 'application/octet-stream');
  });

  test('[FILE-2] are recorded when their bytes are stored, and shown with their url', async () => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    const ana = await world.founder();
    await upload(world, ana, 'f');
    expect(await world.core.files.info(ana.token(), 'f')).toEqual({
      id: 'f',
      libraryId: 'lib',
      name: 'a.png',
      type: 'image/png',
      url: 'http://files/lib/f/a.png',
      remote: true,
    });
    await ana.push(
      ana.set('items/1', 'image', fileRef('f')),
      ana.set('items/1', 'other', fileRef('unknown')),
    );
    expect(await world.snapshot('items', '1')).toMatchObject({
      image: { id: 'f', name: 'a.png', type: 'image/png', url: 'http://files/lib/f/a.png' },
      other: null,
    });
  });

  test('[FILE-7] leave no record when the bytes were not stored', async () => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    const ana = await world.founder();
    files.fail = 'put';
    await expect(upload(world, ana, 'f')).rejects.toMatchObject({ cause: { message: 'put failed' } });
    await expect(world.core.files.info(ana.token(), 'f')).rejects.toMatchObject({
      code: VerdantErrorCode.NotFound,
    });
  });

  test('[FILE-5] [FILE-9] [LIMIT-7] are refused where they may not be: read-only, too large, no id, no storage', async () => {
    const world = new World({ fileStorage: new MemoryFiles(), limits: { maxFileBytes: 10 } });
    const ana = await world.founder();
    const reader = world.device('bob', { type: ReplicaType.ReadOnlyPull });
    await expect(upload(world, reader, 'f')).rejects.toMatchObject({ code: VerdantErrorCode.Forbidden });
    await expect(upload(world, ana, 'f', 11)).rejects.toMatchObject({ code: VerdantErrorCode.TooLarge });
    await expect(upload(world, ana, '')).rejects.toMatchObject({ code: VerdantErrorCode.InvalidRequest });
    const bare = new World();
    await expect(upload(bare, bare.device('ana'), 'f')).rejects.toMatchObject({
      code: VerdantErrorCode.NoFileStorage,
    });
  });

  const released = async (
    options: { restore?: boolean; again?: boolean; stay?: boolean; early?: boolean } = {},
  ) => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files, fileDeleteExpirationDays: 2 });
    const ana = await world.founder();
    await upload(world, ana, 'f');
    await ana.push(ana.set('items/1', 'image', fileRef('f')));
    await ana.push(ana.set('items/1', 'image', null));
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await world.settle(3_000);
    if (options.restore) await ana.push(ana.set('items/1', 'image', fileRef('f')));
    if (options.again) await upload(world, ana, 'f');
    if (options.early) ana.disconnect();
    else await world.settle(3 * DAY);
    if (!options.stay) ana.disconnect();
    await world.settle(10_000);
    return { files, world, ana };
  };

  test('[FILE-10] that nothing refers to are deleted some days later, when nobody is connected', async () => {
    const { files, world, ana } = await released();
    expect(files.bytes.size).toBe(0);
    await expect(world.core.files.info(ana.token(), 'f')).rejects.toMatchObject({
      code: VerdantErrorCode.NotFound,
    });
  });

  test('[FILE-10] not while somebody is connected', async () => {
    const { files } = await released({ stay: true });
    expect(files.bytes.size).toBe(1);
  });

  test('[FILE-11] not when they are referred to again, or uploaded again', async () => {
    expect((await released({ restore: true })).files.bytes.size).toBe(1);
    expect((await released({ again: true })).files.bytes.size).toBe(1);
  });

  test('[FILE-12] whose bytes could not be deleted stay pending, and are tried again', async () => {
    const { files, world, ana } = await released({ stay: true });
    files.fail = 'delete';
    ana.disconnect();
    await world.settle(10_000);
    expect(files.bytes.size).toBe(1);
    ana.connect();
    await ana.sync({ since: ana.stamp() });
    ana.disconnect();
    await world.settle(10_000);
    expect(files.bytes.size).toBe(0);
  });

  /** They have expired, and the daily sweep has not come by since. */
  const EXPIRED = 2 * DAY + 20_000;

  test('[FILE-10] that nothing refers to are deleted with the library leaving memory, too', async () => {
    const { files, world } = await released({ early: true });
    expect(files.bytes.size).toBe(1);
    await world.settle(EXPIRED);
    expect(files.bytes.size).toBe(1);
    await world.info();
    await world.settle(120_000);
    expect(files.bytes.size).toBe(0);
  });

  test('[FILE-10] that nothing refers to are deleted in libraries that are never opened again, when told to', async () => {
    const { files, world } = await released({ early: true });
    await world.settle(EXPIRED);
    const deleted = world.core.files.deleteExpired();
    await world.settle(1);
    expect(await deleted).toBe(1);
    expect(files.bytes.size).toBe(0);
  });

  test('[FILE-11] that are uploaded again while they are deleted are there afterwards', async () => {
    const { files, world, ana } = await released({ stay: true });
    let open = () => {};
    files.gate = new Promise((resolve) => {
      open = resolve;
    });
    ana.disconnect();
    await world.settle(10_000);
    const again = begin(world, ana, 'f', 7);
    await world.settle(10);
    open();
    for (let turn = 0; turn < 6; turn++) await world.settle(1);
    await again;
    expect(files.bytes.get('lib/f')?.content.length).toBe(7);
    expect(await world.core.files.info(ana.token(), 'f')).toMatchObject({ id: 'f' });
  });

  test('[EVICT-5] go with their library when it is evicted', async () => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    const ana = await world.founder();
    await upload(world, ana, 'f');
    files.fail = 'delete';
    await world.evict();
    expect(files.bytes.size).toBe(1);
    await world.evict();
    await world.settle(1_000);
    expect(files.bytes.size).toBe(0);
  });
});

describe('an upload', () => {
  test.each([
    ['fewer', 2],
    ['more', 4],
  ])('of %s bytes than were announced is refused, and leaves nothing', async (_, bytes) => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    const ana = await world.founder();
    const done = begin(world, ana, 'f', 3, body(bytes));
    for (let turn = 0; turn < 4; turn++) await world.settle();
    await expect(done).rejects.toMatchObject({ code: VerdantErrorCode.InvalidRequest });
    expect(files.bytes.size).toBe(0);
  });

  test('[FILE-14] of the same file takes the place of one that stalls', async () => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    const ana = await world.founder();
    const first = begin(world, ana, 'f', 9, stalled());
    await world.settle();
    const second = begin(world, ana, 'f', 9, stalled());
    await upload(world, ana, 'f', 5);
    await expect(first).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
    await expect(second).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
    expect(files.bytes.get('lib/f')?.content.length).toBe(5);
  });

  test('whose record cannot be stored leaves no bytes', async () => {
    const files = new MemoryFiles();
    const storage = failing((change) => change.files !== undefined);
    const world = new World({ fileStorage: files, storage });
    const ana = await world.founder();
    await expect(upload(world, ana, 'f')).rejects.toMatchObject({ cause: { message: 'commit failed' } });
    expect(files.bytes.size).toBe(0);
  });
});

describe('a quota', () => {
  const quota10 = async (fileQuota: 10 | ((id: string) => Promise<number>) = 10) => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files, fileQuota, fileDeleteExpirationDays: 0 });
    return { files, world, ana: await world.founder() };
  };
  const overQuota = { code: VerdantErrorCode.TooLarge, message: expect.stringContaining('10 bytes') };

  test('[FILE-15] bounds the files of a library together, and says so', async () => {
    const { files, world, ana } = await quota10();
    await upload(world, ana, 'a', 6);
    await expect(upload(world, ana, 'b', 5)).rejects.toMatchObject(overQuota);
    await upload(world, ana, 'c', 4);
    expect([...files.bytes.keys()]).toEqual(['lib/a', 'lib/c']);
  });

  test('counts what was stored before a restart', async () => {
    const { world, ana } = await quota10();
    await upload(world, ana, 'a', 6);
    world.crash();
    await expect(upload(world, ana, 'b', 5)).rejects.toMatchObject(overQuota);
  });

  test('counts a file that is uploaded again once, at its new size', async () => {
    const { world, ana } = await quota10();
    await upload(world, ana, 'a', 6);
    await upload(world, ana, 'a', 9);
    await upload(world, ana, 'a', 2);
    await upload(world, ana, 'b', 8);
    await expect(upload(world, ana, 'c', 1)).rejects.toMatchObject(overQuota);
  });

  test('[FILE-15] is not exceeded by uploads at the same time', async () => {
    const { world, ana } = await quota10();
    const stalling = begin(world, ana, 'a', 6, stalled());
    await world.settle();
    await expect(upload(world, ana, 'b', 6)).rejects.toMatchObject(overQuota);
    // What is given up makes room.
    await upload(world, ana, 'a', 1);
    await expect(stalling).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
    await upload(world, ana, 'b', 9);
  });

  test('is free again when files are deleted', async () => {
    const { world, ana } = await quota10();
    await upload(world, ana, 'a', 9);
    await ana.push(ana.set('items/1', 'image', fileRef('a')));
    await ana.push(ana.set('items/1', 'image', null));
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await world.settle(3_000);
    await expect(upload(world, ana, 'b', 9)).rejects.toMatchObject(overQuota);
    ana.disconnect();
    await world.settle(1_000);
    await upload(world, ana, 'b', 9);
  });

  test('may differ by library', async () => {
    const { world, ana } = await quota10(async (id) => (id === 'lib' ? 10 : 100));
    await expect(upload(world, ana, 'a', 11)).rejects.toMatchObject(overQuota);
    await upload(world, world.device('ana', { library: 'other' }), 'a', 11);
  });

  test('has to be one', () => {
    expect(() => new World({ fileQuota: -1 })).toThrow(/'fileQuota' has to be a number of bytes/);
  });
});

describe('orphans', () => {
  const HOUR = 3_600_000;
  const worldWithOrphans = async () => {
    let now = () => 0;
    const files = new MemoryFiles(() => now());
    const world = new World({ fileStorage: files });
    now = () => world.time.now();
    const ana = await world.founder();
    await upload(world, ana, 'kept', 2);
    await upload(world, world.device('bob', { library: 'other' }), 'kept too', 2);
    files.bytes.set('lib/lost', { content: new Uint8Array(5), modifiedAt: now() });
    files.bytes.set('never/known', { content: new Uint8Array(7), modifiedAt: now() });
    await world.settle(25 * HOUR);
    files.bytes.set('lib/new', { content: new Uint8Array(3), modifiedAt: now() });
    return { files, world };
  };
  const sweep = async (world: World, options?: { olderThanHours?: number; dryRun?: boolean }) => {
    const done = world.core.files.deleteOrphans(options);
    done.catch(() => {});
    await world.settle(1);
    return done;
  };

  test('are deleted, once they are a day old; what has a record stays', async () => {
    const { files, world } = await worldWithOrphans();
    expect(await sweep(world)).toEqual({ files: 2, bytes: 12 });
    expect([...files.bytes.keys()].sort()).toEqual(['lib/kept', 'lib/new', 'other/kept too']);
    expect(await sweep(world)).toEqual({ files: 0, bytes: 0 });
    await world.settle(3 * HOUR);
    expect(await sweep(world, { olderThanHours: 2 })).toEqual({ files: 1, bytes: 3 });
  });

  test('are only counted in a dry run', async () => {
    const { files, world } = await worldWithOrphans();
    expect(await sweep(world, { dryRun: true })).toEqual({ files: 2, bytes: 12 });
    expect(files.bytes.size).toBe(5);
  });

  test('stay, all of them, where a library cannot be read', async () => {
    const { files, world } = await worldWithOrphans();
    const { open } = world.storage;
    world.storage.open = (id) =>
      id === 'other' ? Promise.reject(new Error('damaged')) : open.call(world.storage, id);
    await expect(sweep(world)).rejects.toThrow('damaged');
    expect(files.bytes.size).toBe(5);
  });

  test('are not looked for in what cannot be listed, nor among what is minutes old', async () => {
    const files = { put: async () => {}, getUrl: () => '', delete: async () => {} };
    await expect(sweep(new World({ fileStorage: files }))).rejects.toMatchObject({
      code: VerdantErrorCode.Configuration,
    });
    const world = new World({ fileStorage: new MemoryFiles() });
    for (const olderThanHours of [0, 0.5, Number.NaN, -1])
      await expect(sweep(world, { olderThanHours })).rejects.toThrow('at least 1');
  });
});

describe('opened by its URL', () => {
  test('a file has the type of its record, and its bytes', async () => {
    const world = new World({ fileStorage: new MemoryFiles() });
    await upload(world, await world.founder(), 'f', 3);
    const file = await opening(world, '/lib/f/a.png?any=query');
    expect(file).toMatchObject({ id: 'f', libraryId: 'lib', name: 'a.png', type: 'image/png', size: 3 });
    expect(
      (await new Response(file.read() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).byteLength,
    ).toBe(3);
  });

  test.each([
    '/lib/f/b.png',
    '/lib/other/a.png',
    '/other/f/a.png',
    '/lib/f',
    '/lib/f/%zz',
    '/a/lib/f/a.png',
    '/',
  ])('%s is not there', async (path) => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    await upload(world, await world.founder(), 'f', 3);
    await expect(opening(world, path)).rejects.toMatchObject({ code: VerdantErrorCode.NotFound });
  });

  test('bytes without a record are not there, and are let go of', async () => {
    const files = new MemoryFiles();
    const world = new World({ fileStorage: files });
    files.bytes.set('lib/f', { content: new Uint8Array(3), modifiedAt: 0 });
    await expect(opening(world, '/lib/f/a.png')).rejects.toMatchObject({ code: VerdantErrorCode.NotFound });
    expect(files.closed).toBe(1);
  });

  test('it cannot be, without a file storage, or with one that only takes', () => {
    expect(new World().core.files.open).toBeNull();
    const fileStorage = { put: async () => {}, getUrl: () => '', delete: async () => {} };
    expect(new World({ fileStorage }).core.files.open).toBeNull();
  });

  const opening = async (world: World, path: string) => {
    const opened = world.core.files.open!(path);
    opened.catch(() => {});
    await world.settle(1);
    return opened;
  };
});

/** A storage in memory, of which such commits fail. */
const failing = (which: (change: LibraryChange) => boolean): Storage => {
  const storage = memoryStorage();
  const { open } = storage;
  storage.open = async (id) => {
    const library = await open.call(storage, id);
    const { commit } = library;
    library.commit = async (change) => {
      if (which(change)) throw new Error('commit failed');
      return commit.call(library, change);
    };
    return library;
  };
  return storage;
};
