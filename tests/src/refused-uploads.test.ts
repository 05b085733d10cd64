import { describe, expect, test } from 'vitest';
import type { TestClient } from './clients/open-client.js';
import type { File } from './clients/test-client.js';
import { filesOnDisk } from './files-on-disk.js';
import { never, waitFor } from './until.js';
import { startUploadProxy, type UploadProxy } from './upload-proxy.js';
import { inWorld, matrix, sameItems, type World } from './world.js';

/** A client tries again after a second what it thinks worth it. */
const LONGER_THAN_A_RETRY_MS = 3_000;

const file = (bytes: number): File => ({
  name: 'holiday.png',
  type: 'image/png',
  bytes: new Uint8Array(bytes).fill(7),
});

describe.each(matrix)('a file that is too large for the server, $label', (kind) => {
  /** Ana attaches a file that the server refuses; documents go on syncing; nobody sends it again for now. */
  async function refused(world: World, proxy: UploadProxy, bytes: number) {
    proxy.target = world.app.port;
    const [ana, bob] = [await world.open('ana'), await world.open('bob')];
    await ana.put('1', { content: 'before' });
    await ana.attachImage('1', file(bytes));
    await waitFor(() => ana.wire.refusals.includes(413), { deadline: 20_000, describe: ana.describe });
    await ana.update('1', { content: 'after' });
    await bob.waitUntil(([first]) => first?.content === 'after' && first.image, 20_000);
    await bob.put('2');
    // Not `converged`: devices keep the reference, the server's own reading has no file to show.
    const [item] = await sameItems([ana, bob], (items) => items.length === 2);
    await never(() => proxy.uploads > 1, LONGER_THAN_A_RETRY_MS, 'It was uploaded again.');
    expect(ana.wire.refusals).toEqual([413]);
    expect(await bob.image('1')).toBeNull();
    expect(await world.app.core.get(world.library).getFileInfo(item!.image!)).toBeNull();
    await waitFor(async () => (await filesOnDisk(world.app)).length === 0, {
      deadline: 20_000,
      describe: () => filesOnDisk(world.app),
    });
    return { ana, bob };
  }

  /** Noticed by the client: one that polls sees nothing of what happens between two polls. */
  const comesOnlineAgain = async (client: TestClient) => {
    await client.goOffline();
    await waitFor(() => !client.sync.isConnected, { deadline: 20_000, describe: client.describe });
    await client.goOnline();
  };

  test.each([
    ['read ahead', 50_000],
    ['larger than what is read ahead', 4 * 1024 ** 2],
  ])(
    '[LIMIT-7] and %s, is sent once, and once more each time that its device comes online',
    async (_, bytes) => {
      const proxy = await startUploadProxy();
      try {
        const options = { ...kind, issue: proxy.issue, limits: { maxFileBytes: 40_000 } };
        await inWorld(options, async (world) => {
          const { ana, bob } = await refused(world, proxy, bytes);
          await comesOnlineAgain(ana);
          await waitFor(() => proxy.uploads === 2, { deadline: 20_000, describe: ana.describe });
          await waitFor(() => ana.wire.refusals.filter((status) => status === 413).length === 2, {
            deadline: 20_000,
            describe: () => ana.wire.refusals,
          });
          await ana.put('3');
          await sameItems([ana, bob], (items) => items.length === 3);
          await ana.detachImage('1');
          await world.converged([ana, bob], ([first]) => first?.image === null);
        });
      } finally {
        await proxy.stop();
      }
    },
  );

  test('[FILE-15] and over the quota, is uploaded when its device comes online and there is room', async () => {
    const proxy = await startUploadProxy();
    let quota = 60_000;
    try {
      await inWorld({ ...kind, issue: proxy.issue, fileQuota: () => quota }, async (world) => {
        const { ana, bob } = await refused(world, proxy, 100_000);
        quota = 1_000_000;
        await comesOnlineAgain(ana);
        const stored = () => filesOnDisk(world.app);
        await waitFor(async () => (await stored()).length === 1, { deadline: 20_000, describe: stored });
        expect(proxy.uploads).toBe(2);
        // Bob's app has asked for it, in vain, and does not again until it is opened again.
        await bob.close();
        const bobAgain = await world.reopen(bob);
        const received = await waitFor(() => bobAgain.image('1'), {
          deadline: 20_000,
          describe: bobAgain.describe,
        });
        expect(received.bytes.length).toBe(100_000);
      });
    } finally {
      await proxy.stop();
    }
  });
});
