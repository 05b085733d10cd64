import { createRequire } from 'node:module';
import { memoryStorage } from '@verdant-web/core/memory';
import { sqlShardStorage, sqlStorage } from '@verdant-web/storage-sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import { removeFolder, temporaryFolder } from '../server.js';
import { gatedStorage } from './gated-storage.js';
import { push, resetStamps, set, stamp } from './messages.js';
import { founder, joiner, Peer } from './peer.js';
import { composed } from './servers.js';
import { fresh, seconds, tokenFor } from './tokens.js';

/* Handles, statements, passes and log lines: seen with the parts in this process. */

afterEach(() => {
  vi.useRealTimers();
  resetStamps();
});

const waits = { timeout: 8_000, interval: 50 };

test.each(['one file for each library', 'one file for all'])(
  '[WORK-6] a library that is used, or comes back, after hours is still there (%s)',
  async (kind) => {
    const folder = await temporaryFolder();
    const storage =
      kind === 'one file for all'
        ? sqlStorage({ databaseFile: `${folder}/verdant.sqlite` })
        : sqlShardStorage({ databasesDirectory: folder });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    await composed({ storage }, async (app) => {
      const library = fresh();
      const other = fresh('idle');
      const token = tokenFor(app.base, library, 'ann', { exp: seconds() + 86_400 });
      const ann = await founder(app, library, 'ann', { token });
      const idle = await founder(app, other);
      idle.close();
      await idle.ended();
      const HALF_MINUTE = 20_000;
      for (let passed = 0; passed < 3 * 3_600_000; passed += HALF_MINUTE) {
        vi.advanceTimersByTime(HALF_MINUTE);
        await ann.fence();
        if (passed % 1_800_000 === 0) await ann.write(push('items/1:tags', passed));
      }
      await ann.write(set('items/1', 'title', 'hours later'));
      const bob = await new Peer(app, library, 'bob').connect();
      expect(JSON.stringify(await bob.sync())).toContain('hours later');
      const back = await new Peer(app, other, 'ann', { id: idle.id }).connect();
      expect((await back.sync({ since: stamp() })).overwriteLocalData).toBe(false);
      await back.write(set('items/1', 'title', 'back'));
      for (const peer of [ann, bob, back]) peer.close();
      expect(app.logged.filter(({ level }) => level === 'error')).toEqual([]);
      vi.useRealTimers();
    });
    await removeFolder(folder);
  },
);

test('[WORK-5] work that was done before prepares no statement anew', async () => {
  const folder = await temporaryFolder();
  // The tests themselves have no SQLite: it is the storage's.
  const require = createRequire(new URL('../../../packages/storage-sqlite/package.json', import.meta.url));
  const Database = require('better-sqlite3') as { prototype: { prepare(sql: string): unknown } };
  await composed({ storage: sqlShardStorage({ databasesDirectory: folder }) }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    const round = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await ann.write(set('items/1', 'n', i));
        await bob.sync({ since: stamp(), operations: [push('items/1:tags', i)] });
      }
      const reader = new Peer(app, library, fresh('reader'), { type: 4 });
      await reader.poll();
      await reader.post([{ type: 'disconnecting' }]);
      const { core } = app;
      await expect
        .poll(async () => (await core.get(library).getInfo())?.operationsCount, waits)
        .toBeLessThan(5);
    };
    await round(3);
    await round(3);
    const prepare = vi.spyOn(Database.prototype, 'prepare');
    try {
      await round(30);
      expect(prepare.mock.calls.map(([sql]) => sql)).toEqual([]);
    } finally {
      prepare.mockRestore();
    }
    for (const peer of [ann, bob]) peer.close();
  });
  await removeFolder(folder);
});

test('[WORK-4] 500 messages are folded in few passes, not in one for each', async () => {
  const storage = gatedStorage(memoryStorage());
  await composed({ storage }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    for (let i = 0; i < 500; i++) await ann.write(set('items/1', 'n', i));
    const { core } = app;
    await expect
      .poll(async () => (await core.get(library).getInfo())?.operationsCount, waits)
      .toBeLessThan(5);
    const folds = storage.commits.filter(({ fold }) => (fold?.length ?? 0) > 0).length;
    expect(folds).toBeGreaterThan(0);
    expect(folds).toBeLessThan(50);
    expect(storage.calls.get('foldable')).toBeLessThan(60);
    for (const peer of [ann, bob]) peer.close();
  });
});

test('[FOLD-12] baselines and what they fold are in one commit', async () => {
  const storage = gatedStorage(memoryStorage());
  await composed({ storage }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    for (let i = 0; i < 20; i++) await ann.write(push('items/1:tags', i));
    const { core } = app;
    await expect
      .poll(async () => (await core.get(library).getInfo())?.operationsCount, waits)
      .toBeLessThan(5);
    // The founding brought operations only: every baseline comes of folding, and every fold has its baselines.
    for (const { baselines = [], fold = [] } of storage.commits) {
      expect(baselines.length > 0).toBe(fold.length > 0);
    }
    ann.close();
  });
});

test('[WORK-7] an operation logs nothing', async () => {
  await composed({}, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    const before = app.logged.length;
    for (let i = 0; i < 50; i++) await ann.write(set('items/1', 'n', i));
    await bob.fence();
    expect(app.logged.slice(before).map(({ text }) => text)).toEqual([]);
    for (const peer of [ann, bob]) peer.close();
  });
});
