import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { inWorld } from '../world.js';
import { expectRestored } from './restored.js';
import { kinds, storages } from './storages.js';

test.each(kinds)(
  '%s: a backup that was made while the server ran is whole; devices bring what it lacks when it is evicted at once',
  async (kind) => {
    let beforeStart = () => {};
    const { open, fileOf } = storages[kind];
    const storage = (directory: string) => {
      beforeStart();
      return open(directory);
    };
    await inWorld({ storage }, async (world) => {
      const { app, library } = world;
      const file = fileOf(join(app.directory, 'databases'), library);
      const backup = join(app.directory, 'backup.sqlite');
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      await ana.put('1');
      await world.converged([ana, bob], (items) => items.length === 1);
      new Database(file, { readonly: true }).exec(`VACUUM INTO '${backup}'`).close();
      await bob.put('2');
      await world.converged([ana, bob], (items) => items.length === 2);

      beforeStart = () => {
        for (const side of ['-wal', '-shm']) rmSync(file + side, { force: true });
        copyFileSync(backup, file);
      };
      await app.restart();
      expect(await app.core.get(library).getDocumentSnapshot('items', '1')).not.toBe(null);
      expect(await app.core.get(library).getDocumentSnapshot('items', '2')).toBe(null);
      await app.core.evict(library);
      await expectRestored(world, [ana, bob], 2);
    });
  },
);
