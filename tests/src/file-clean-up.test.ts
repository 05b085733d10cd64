import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TestClient } from './clients/open-client.js';
import type { File } from './clients/test-client.js';
import { filesOnDisk } from './files-on-disk.js';
import { waitFor } from './until.js';
import { inWorld, matrix, type World } from './world.js';

const photo = (): File => ({
  name: 'holiday.png',
  type: 'image/png',
  bytes: new Uint8Array(randomBytes(1_000)),
});

/** Ids of the files that the server has bytes of. */
const onDisk = async ({ app }: World) =>
  (await filesOnDisk(app)).map((path) => path.split('/').at(-2)).sort();

const record = ({ app, library }: World, fileId: string) => app.core.get(library).getFileInfo(fileId);

const isForgotten = (world: World, fileId: string) =>
  waitFor(async () => (await record(world, fileId)) === null, {
    deadline: 30_000,
    describe: () => `${fileId} is still there; the server logged ${world.app.errors.join('\n')}`,
  });

/** Two devices with an item for each photo. Resolves with these, and the ids of the files. */
async function withPhotos(world: World, photos: File[]) {
  const [ana, bob] = [await world.open('ana'), await world.open('bob')];
  for (const [index, file] of photos.entries()) {
    await ana.put(`${index + 1}`);
    await ana.attachImage(`${index + 1}`, file);
  }
  const items = await world.converged(
    [ana, bob],
    (all) => all.filter(({ image }) => image).length === photos.length,
  );
  const files = items.map(({ image }) => image!);
  await waitFor(async () => (await onDisk(world)).length === files.length, { deadline: 30_000 });
  return { ana, bob, files };
}

/** What was done so far is folded into history, once all have acknowledged something newer. */
async function fold({ app, library, converged }: World, [ana, bob]: [TestClient, TestClient]) {
  for (const tag of ['a', 'b']) {
    await ana.addTag('1', tag);
    await converged([ana, bob], ([first]) => first?.tags.includes(tag));
    await bob.addTag('1', `${tag} of bob`);
    await converged([ana, bob], ([first]) => first?.tags.includes(`${tag} of bob`));
  }
  const info = () => app.core.get(library).getInfo();
  await waitFor(async () => (await info())!.operationsCount < 5, { deadline: 20_000, describe: info });
}

describe.each(matrix)('deleting files that nothing refers to, $label', (kind) => {
  // Long enough for a busy machine: a polling device that is taken to have left has no say any more.
  const options = { ...kind, fileDeleteExpirationDays: 0, presenceLeaseMs: 5_000 };

  test('[FILE-12] where the disk refuses, bytes and record stay, and go when everyone has left again', async () => {
    const disk = { refuses: true, asked: 0 };
    await inWorld(
      {
        ...options,
        changeFiles: (files) => {
          const remove = files.delete.bind(files);
          files.delete = async (file) => {
            disk.asked++;
            if (disk.refuses) throw new Error('EBUSY: the disk refuses');
            await remove(file);
          };
        },
      },
      async (world) => {
        const { ana, bob, files } = await withPhotos(world, [photo()]);
        await bob.detachImage('1');
        await fold(world, [ana, bob]);
        await ana.kill();
        await bob.kill();
        await waitFor(() => disk.asked > 0, { deadline: 30_000 });
        await waitFor(() => world.app.errors.length > 0, { deadline: 10_000 });
        expect(world.app.errors.join('\n')).toContain('EBUSY: the disk refuses');
        expect(await record(world, files[0]!)).not.toBeNull();
        expect(await onDisk(world)).toEqual(files);

        disk.refuses = false;
        const bobAgain = await world.reopen(bob);
        await bobAgain.kill();
        await isForgotten(world, files[0]!);
        expect(await onDisk(world)).toEqual([]);
        for (const error of world.app.errors.splice(0)) expect(error).toContain('could not be deleted');
      },
    );
  });

  test('[FILE-11] spares one that an undo refers to again', () =>
    inWorld(options, async (world) => {
      const photos = [photo(), photo()];
      const { ana, bob, files } = await withPhotos(world, photos);
      const [restored, forgotten] = files as [string, string];
      await ana.detachImage('2');
      await ana.detachImage('1');
      await world.converged([ana, bob], (items) => items.every(({ image }) => image === null));
      await fold(world, [ana, bob]);
      while ((await ana.get('1'))?.image === null) expect(await ana.undo()).toBe(true);
      await world.converged([ana, bob], ([first]) => first?.image === restored);
      await ana.kill();
      await bob.kill();
      await isForgotten(world, forgotten);
      expect(await world.app.core.files.deleteExpired()).toBe(0);
      expect(await record(world, restored)).not.toBeNull();
      expect(await onDisk(world)).toEqual([restored]);
      const newcomer = await world.open('cleo');
      const received = await waitFor(() => newcomer.image('1'), {
        deadline: 30_000,
        describe: newcomer.describe,
      });
      expect(Buffer.compare(received.bytes, photos[0]!.bytes)).toBe(0);
    }));
});
