import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { set } from '../wire-rules/messages.js';
import { Peer } from '../wire-rules/peer.js';
import { inWorld } from '../world.js';
import { makeReadOnly, testsMounts } from './mounts.js';
import { storages } from './storages.js';

test.runIf(testsMounts)(
  '[DUR-10] a file that became read-only: its library waits, others go on',
  async () => {
    let beforeStart = () => {};
    const storage = (directory: string) => {
      beforeStart();
      return storages.sharded.open(directory);
    };
    await inWorld({ storage, libraryIdleMs: 200 }, async (world) => {
      const { app, library } = world;
      const file = storages.sharded.fileOf(join(app.directory, 'databases'), library);
      const ana = await world.open('ana');
      await ana.put('1');
      await world.converged([ana], (items) => items.length === 1);

      let makeWritable = () => {};
      beforeStart = () => {
        makeWritable = makeReadOnly(file);
      };
      await app.restart();
      try {
        beforeStart = () => {};
        await ana.put('2');
        await waitFor(() => app.errors.some((line) => line.includes(file) && line.includes('read-only')), {
          describe: () => app.errors,
        });
        const peer = new Peer(app, library, 'cem');
        const { status, body } = await peer.post([
          peer.syncMessage({ operations: [set('items/9', 'content', 'y')] }),
        ]);
        expect(status).toBeGreaterThanOrEqual(500);
        expect(JSON.stringify(body)).not.toContain(file);
        const eve = await world.open('eve', { library: 'writable' });
        await eve.put('1');
        const fay = await world.open('fay', { library: 'writable' });
        await waitFor(async () => (await fay.list()).length === 1);
      } finally {
        makeWritable();
      }
      await app.restart();
      await world.converged([ana], (items) => items.length === 2);
      app.errors.splice(0);
    });
  },
);

test.runIf(testsMounts)(
  '[DUR-10] one file for all that became read-only: changes wait, what is there can be read',
  async () => {
    let beforeStart = (_file: string) => {};
    const { open, fileOf } = storages.unified;
    const storage = (directory: string) => {
      beforeStart(fileOf(directory, ''));
      return open(directory);
    };
    await inWorld({ storage }, async (world) => {
      const { app, library } = world;
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      await ana.put('1');
      await world.converged([ana, bob], (items) => items.length === 1);

      let file = '';
      let makeWritable = () => {};
      beforeStart = (path) => {
        file = path;
        makeWritable = makeReadOnly(path);
      };
      await app.restart();
      beforeStart = () => {};
      try {
        await ana.put('2');
        await waitFor(() => app.errors.some((line) => line.includes(file) && line.includes('read-only')), {
          describe: () => app.errors,
        });
        const peer = new Peer(app, library, 'cem');
        const { status, body } = await peer.post([
          peer.syncMessage({ operations: [set('items/9', 'content', 'y')] }),
        ]);
        expect(status).toBeGreaterThanOrEqual(500);
        expect(JSON.stringify(body)).not.toContain(file);
        expect(await app.core.get(library).getDocumentSnapshot('items', '1')).not.toBe(null);
        expect(await app.core.get(library).getDocumentSnapshot('items', '2')).toBe(null);
        // Nobody was shown what is not stored.
        expect(await bob.list()).toHaveLength(1);
      } finally {
        makeWritable();
      }
      await app.restart();
      await world.converged([ana, bob], (items) => items.length === 2);
      app.errors.splice(0);
    });
  },
);
