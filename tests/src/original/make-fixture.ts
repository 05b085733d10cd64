import { copyFile, writeFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sameItems } from '../world.js';
import { FIXTURE, FIXTURE_ITEMS } from './fixture.js';
import { startOriginalWorld } from './original-world.js';

// Not a test: `pnpm --filter @verdant-internal/tests fixture:original` writes the database that is checked in anew.
test('the original server writes a database', { timeout: 120_000 }, async () => {
  const world = await startOriginalWorld();
  const ana = await world.open('ana', { transport: 'socket' });
  const bob = await world.open('bob');
  const both = [ana, bob];
  await ana.put('1', { content: 'milk', tags: ['a'] });
  await ana.put('2', { content: 'to be deleted' });
  await bob.put('3', { content: 'brot, größer' });
  await sameItems(both, (items) => items.length === 3, 30_000);
  for (let n = 0; n < 3; n++) {
    await ana.addTag('1', `ana ${n}`);
    await sameItems(both, ([item]) => item!.tags.includes(`ana ${n}`), 30_000);
    await bob.addTag('1', `bob ${n}`);
    await bob.setLabel('3', `label ${n}`, 'x');
    await sameItems(both, ([item]) => item!.tags.includes(`bob ${n}`), 30_000);
  }
  await bob.delete('2');
  await sameItems(both, (items) => items.length === 2, 30_000);
  await bob.update('1', { content: 'oat milk' });
  const items = await sameItems(both, ([item]) => item!.content === 'oat milk', 30_000);
  await world.acknowledged('ana', 'bob');
  // Written by 2.1.2 as it ends: its log is taken in by SQLite, nothing else is done to it.
  await world.end({
    keep: async (file) => {
      const db = new Database(file);
      expect(db.prepare('SELECT count(*) FROM DocumentBaseline').pluck().get()).toBeGreaterThan(0);
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      await copyFile(file, FIXTURE);
    },
  });
  await writeFile(FIXTURE_ITEMS, `${JSON.stringify(items, null, 2)}\n`);
});
