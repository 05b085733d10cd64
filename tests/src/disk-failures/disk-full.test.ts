import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { set } from '../wire-rules/messages.js';
import { Peer } from '../wire-rules/peer.js';
import { inWorld } from '../world.js';
import { smallDisk, testsMounts } from './mounts.js';
import { kinds, storages } from './storages.js';

const cases = kinds.flatMap((kind) =>
  (['3.6.3', '5.5.0'] as const).map((generation) => ({ kind, generation })),
);

test.runIf(testsMounts).each(cases)(
  '[DUR-10] $kind: what does not fit is not acknowledged, and comes when there is room ($generation)',
  async ({ kind, generation }) => {
    const disk = smallDisk(8);
    const { open, fileOf } = storages[kind];
    const transport = generation === '3.6.3' ? 'http' : 'socket';
    await inWorld({ generation, transport, directory: disk.path, storage: open }, async (world) => {
      const { app, library } = world;
      const file = fileOf(join(disk.path, 'databases'), library);
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      await ana.put('1', { content: 'before' });
      await world.converged([ana, bob], (items) => items.length === 1);

      const eve = await world.open('eve', { library: 'second' });
      await eve.put('1');
      const second = app.core.get('second');
      await waitFor(() => second.getDocumentSnapshot('items', '1'));

      disk.fill();
      await ana.put('2', { content: 'x'.repeat(100_000) });
      await waitFor(() => app.errors.some((line) => line.includes(file) && line.includes('disk is full')), {
        describe: () => app.errors,
      });

      // Those who speak the wire themselves hear why, and no more.
      const peer = new Peer(app, library, 'cem');
      const { status, body } = await peer.post([
        peer.syncMessage({ operations: [set('items/9', 'content', 'y'.repeat(100_000))] }),
      ]);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(body).toEqual({ code: expect.any(Number), message: expect.any(String) });
      await peer.connect();
      peer.sendSync({ operations: [set('items/9', 'content', 'y'.repeat(100_000))] });
      const { code, reason } = await peer.ended();
      expect(code).toBe(1011);
      expect(reason).not.toBe('');
      for (const told of [JSON.stringify(body), reason]) expect(told).not.toContain(disk.path);
      // Readers go on.
      expect(await bob.list()).toHaveLength(1);
      expect((await app.core.get(library).getInfo())?.id).toBe(library);
      // So does a second library, which is as it was.
      expect(await second.getDocumentSnapshot('items', '1')).not.toBe(null);

      disk.makeRoom();
      await eve.put('2');
      const fay = await world.open('fay', { library: 'second' });
      await waitFor(async () => (await fay.list()).length === 2);
      const cem = await world.open('cem');
      await world.converged([ana, bob, cem], (items) => items.length === 2);
      app.errors.splice(0);
    });
  },
);
