import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { type Device, World } from '../testing/world.js';
import type { FileStorage, StoredFile } from './file-storage.js';

/** Files in memory. `fail` makes the next call of a method fail. */
class MemoryFiles implements FileStorage {
  readonly bytes = new Map<string, number>();
  fail: 'put' | 'delete' | null = null;

  async put(file: StoredFile, body: ReadableStream<Uint8Array>): Promise<void> {
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.byteLength;
    this.#check('put');
    this.bytes.set(key(file), bytes);
  }

  getUrl(file: StoredFile): string {
    return `http://files/${key(file)}/${file.name}`;
  }

  async delete(file: StoredFile): Promise<void> {
    this.#check('delete');
    this.bytes.delete(key(file));
  }

  #check(method: 'put' | 'delete'): void {
    if (this.fail !== method) return;
    this.fail = null;
    throw new Error(`${method} failed`);
  }
}

const key = ({ libraryId, id }: StoredFile) => `${libraryId}/${id}`;
const body = (bytes: number) => new Response(new Uint8Array(bytes)).body!;
const fileRef = (id: string) => ({ '@@type': 'file', id }) as const;

async function upload(world: World, device: Device, id: string, bytes = 3): Promise<void> {
  const done = world.core.files.upload(device.token(), { id, name: 'a.png', type: 'image/png' }, body(bytes));
  done.catch(() => {});
  await world.settle();
  await world.settle();
  return done;
}

const DAY = 86_400_000;

describe('files', () => {
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
    await expect(upload(world, ana, 'f')).rejects.toThrow('put failed');
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

  const released = async (options: { restore?: boolean; again?: boolean; stay?: boolean } = {}) => {
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
    await world.settle(3 * DAY);
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
