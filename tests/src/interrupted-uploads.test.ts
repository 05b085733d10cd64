import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { filesOnDisk } from './files-on-disk.js';
import { waitFor } from './until.js';
import { startUploadProxy } from './upload-proxy.js';
import { inWorld, matrix } from './world.js';

describe.each(matrix)('an upload that the network cuts off, $label', (kind) => {
  test('[FILE-14] is tried again by the client, and leaves one file, whole, and no half', async () => {
    const proxy = await startUploadProxy({ cut: 2 });
    try {
      await inWorld({ ...kind, issue: proxy.issue }, async ({ app, library, open, converged }) => {
        proxy.target = app.port;
        const [ana, bob] = [await open('ana'), await open('bob')];
        await ana.put('1');
        const bytes = new Uint8Array(randomBytes(4 * 1024 ** 2));
        await ana.attachImage('1', { name: 'holiday.png', type: 'image/png', bytes });
        const [item] = await converged([ana, bob], ([first]) => first?.image);
        const received = await waitFor(() => bob.image('1'), {
          deadline: 30_000,
          describe: () => `${proxy.uploads} uploads began, ${proxy.cuts} were cut off`,
        });
        expect(Buffer.compare(received.bytes, bytes)).toBe(0);
        expect([proxy.uploads, proxy.cuts]).toEqual([3, 2]);
        expect(await app.core.get(library).getFileInfo(item!.image!)).toMatchObject({ name: 'holiday.png' });

        const found = await waitFor(
          async () => {
            const paths = await filesOnDisk(app);
            return paths.length === 1 ? { path: paths[0]! } : undefined;
          },
          { deadline: 20_000, describe: () => filesOnDisk(app) },
        );
        expect(found.path).toContain(item!.image);
        expect(Buffer.compare(await readFile(found.path), bytes)).toBe(0);
      });
    } finally {
      await proxy.stop();
    }
  });
});
