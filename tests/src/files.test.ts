import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { File, TestClient } from './clients/open-client.js';
import { waitFor } from './until.js';
import { inWorld, matrix } from './world.js';

const photo = (bytes = 100_000): File => ({
  name: 'my photo #1.png',
  type: 'image/png',
  bytes: new Uint8Array(randomBytes(bytes)),
});

/** Clients ask once a second for a file that is not there yet. */
const loaded = (client: TestClient, id: string) =>
  waitFor(() => client.image(id), { deadline: 15_000, describe: client.describe });

describe.each(matrix)('files, $label', (kind) => {
  test('come from one client to another, byte for byte', () =>
    inWorld(kind, async ({ app, library, open, reopen, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1', { content: 'milk' });
      const file = photo();
      await ana.attachImage('1', file);
      const [item] = await converged([ana, bob], ([first]) => first?.image);

      const received = await loaded(bob, '1');
      expect(Buffer.compare(received.bytes, file.bytes)).toBe(0);
      expect(received).toMatchObject({ name: file.name, type: file.type });
      const info = await app.core.get(library).getFileInfo(item!.image!);
      expect(info).toMatchObject({ id: item!.image, libraryId: library, name: file.name, type: file.type });

      await bob.close();
      const bobAgain = await reopen(bob, kind);
      expect(Buffer.compare((await loaded(bobAgain, '1')).bytes, file.bytes)).toBe(0);
    }));

  test('attached while offline are uploaded later', () =>
    inWorld(kind, async ({ open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1');
      await bob.waitUntil((items) => items.length === 1);
      ana.goOffline();
      const file = photo(5_000);
      await ana.attachImage('1', file);
      ana.goOnline();
      await converged([ana, bob], ([first]) => first?.image);
      expect(Buffer.compare((await loaded(bob, '1')).bytes, file.bytes)).toBe(0);
    }));

  test('[FILE-10] are deleted when nothing refers to them any more and everyone has left', () =>
    inWorld(
      { ...kind, fileDeleteExpirationDays: 0, presenceLeaseMs: 500 },
      async ({ app, library, open, converged }) => {
        const [ana, bob] = [await open('ana'), await open('bob')];
        await ana.put('1');
        await ana.attachImage('1', photo(1_000));
        const [item] = await converged([ana, bob], ([first]) => first?.image);
        await loaded(bob, '1');
        await bob.detachImage('1');
        await ana.waitUntil(([first]) => first?.image === null);
        // What releases the file is folded once all have acknowledged something newer.
        for (const tag of ['a', 'b']) {
          await ana.addTag('1', tag);
          await bob.waitUntil(([first]) => first?.tags.includes(tag));
          await bob.addTag('1', `${tag} of bob`);
          await ana.waitUntil(([first]) => first?.tags.includes(`${tag} of bob`));
        }
        const fileId = item!.image!;
        await expect
          .poll(async () => (await app.core.get(library).getInfo())?.operationsCount, { timeout: 10_000 })
          .toBeLessThan(5);
        expect(await app.core.get(library).getFileInfo(fileId)).not.toBeNull();
        const onDisk = async () =>
          (await readdir(join(app.directory, 'files'), { recursive: true })).filter((path) =>
            path.includes(fileId),
          );
        expect(await onDisk()).not.toEqual([]);
        await ana.close();
        await bob.close();
        await waitFor(async () => (await app.core.get(library).getFileInfo(fileId)) === null, {
          describe: () => `${fileId} is still there`,
          deadline: 20_000,
        });
        // Bytes first, then the record.
        expect(await onDisk()).toEqual([]);
      },
    ));
});
