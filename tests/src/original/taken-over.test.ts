import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '@verdant-web/core';
import { sqlShardStorage, sqlStorage } from '@verdant-web/server/storage';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { createDevice } from '../clients/browser.js';
import { type OpenOptions, openClient, type TestClient } from '../clients/open-client.js';
import { freePort, removeFolder, startApp, temporaryFolder } from '../server.js';
import { waitFor } from '../until.js';
import { authUrl, sameItems } from '../world.js';
import { shardOf } from './layouts.js';
import { startOriginal } from './original-server.js';

const LIBRARY = 'shared-list';

const OFFLINE = { generation: '3.6.3', online: false, authEndpoint: 'http://127.0.0.1:1' } as const;

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** How the databases of the original come to us. */
const ways: Record<string, (file: string, directory: string) => Storage> = {
  'its unified file, in place': (databaseFile) => sqlStorage({ databaseFile }),
  'its unified file, into shards': (file, directory) =>
    sqlShardStorage({ databasesDirectory: join(directory, 'shards'), transferFromUnifiedDatabaseFile: file }),
  'a shard of 3.x': (file, directory) => {
    shardOf(file, LIBRARY, join(directory, '3'), '3.x');
    return sqlShardStorage({ databasesDirectory: join(directory, '3') });
  },
  'a shard of 4.x': (file, directory) => {
    shardOf(file, LIBRARY, join(directory, '4'), '4.x');
    return sqlShardStorage({ databasesDirectory: join(directory, '4') });
  },
};

// Over sockets: over HTTP the original leaves open, when a client goes, whether the last answer was applied.
test.each(Object.keys(ways).map((way) => ({ way })))(
  'clients of the original server go on where they were: $way',
  { timeout: 180_000 },
  async ({ way }) => {
    const directory = await temporaryFolder();
    const port = await freePort();
    const file = join(directory, 'verdant.sqlite');
    ends.push(() => removeFolder(directory));
    const original = await startOriginal(port, file);
    ends.push(original.stop);
    const open = async (userId: string, more: Partial<OpenOptions> = {}): Promise<TestClient> => {
      const authEndpoint = authUrl(original.base, LIBRARY, userId);
      const client = await openClient({ generation: '3.6.3', userId, authEndpoint, ...more });
      ends.push(client.kill);
      return client;
    };

    // With the original: two devices that stay, one that is closed for the night, one that never connects again.
    const device = createDevice();
    const [ana, bob, cy] = [await open('ana'), await open('bob'), await open('cy', { device })];
    await ana.put('1', { content: 'milk', tags: ['a'] });
    await ana.put('2', { content: 'to be deleted' });
    await sameItems([ana, bob, cy], (items) => items.length === 2, 30_000);
    for (let n = 0; n < 4; n++) {
      // One after the other: what comes in another order than it was written in, the original may fold in that order.
      await ana.addTag('1', `a${n}`);
      await sameItems([ana, bob, cy], ([item]) => item!.tags.length === 2 + 2 * n, 30_000);
      await bob.addTag('1', `b${n}`);
      await cy.setLabel('1', `label ${n}`, 'x');
      await sameItems([ana, bob, cy], ([item]) => item!.tags.length === 3 + 2 * n, 30_000);
    }
    await bob.delete('2');
    await sameItems([ana, bob, cy], (items) => items.length === 1, 30_000);
    await waitFor(() => baselinesIn(file) > 0, {
      deadline: 30_000,
      describe: () => 'the original never folded',
    });

    // While no server is there, or they have no network, people go on.
    await cy.close();
    ana.goOffline();
    await ana.addTag('1', 'ana offline');
    await ana.put('3', { content: 'by ana, offline' });
    await bob.addTag('1', 'after ana left');
    await bob.waitUntil(([item]) => item!.tags.includes('after ana left'));
    await waitFor(() => holds(file, 'after ana left'), { deadline: 30_000 });
    await original.stop();
    await bob.put('4', { content: 'by bob, without a server' });
    const night = await openClient({ ...OFFLINE, userId: 'cy', device });
    await night.put('5', { content: 'by cy, at night' });
    await night.close();
    const answersBefore = [ana, bob].map(({ wire }) => wire.received('sync-resp').length);

    const app = await startApp({ directory, port, storage: () => ways[way]!(file, directory) });
    ends.push(app.stop);
    ana.goOnline();
    const again = await open('cy', { device });
    const [first] = await sameItems([ana, bob, again], (items) => items.length === 4, 60_000);
    expect(first!.tags.toSorted()).toEqual(
      ['a', 'after ana left', 'ana offline', ...[0, 1, 2, 3].flatMap((n) => [`a${n}`, `b${n}`])].toSorted(),
    );
    expect(Object.keys(first!.labels)).toHaveLength(4);

    // A device that is new gets everything, and all go on together.
    const dan = await open('dan');
    await dan.addTag('1', 'dan');
    await bob.removeTag('1', 'a');
    const everyone = [ana, bob, again, dan];
    await sameItems(everyone, ([item]) => item!.tags.includes('dan') && !item!.tags.includes('a'), 60_000);

    const answers = [
      ana.wire.received('sync-resp').slice(answersBefore[0]),
      bob.wire.received('sync-resp').slice(answersBefore[1]),
      again.wire.received('sync-resp'),
    ];
    for (const each of answers) {
      expect(each.length).toBeGreaterThan(0);
      expect(each.filter(({ overwriteLocalData }) => overwriteLocalData)).toEqual([]);
    }
    expect(app.errors).toEqual([]);

    // What they show is what they have stored.
    const shown = await ana.list();
    await ana.close();
    const reopened = await openClient({ ...OFFLINE, userId: 'ana', device: ana.device });
    ends.push(reopened.kill);
    expect(await reopened.list()).toEqual(shown);
  },
);

test('one that was away for too long is reset, when it has missed something', {
  timeout: 120_000,
}, async () => {
  const directory = await temporaryFolder();
  const port = await freePort();
  const file = join(directory, 'verdant.sqlite');
  ends.push(() => removeFolder(directory));
  const original = await startOriginal(port, file);
  ends.push(original.stop);
  const device = createDevice();
  const open = async (userId: string, more: Partial<OpenOptions> = {}) => {
    const authEndpoint = authUrl(original.base, LIBRARY, userId);
    const client = await openClient({ generation: '3.6.3', userId, authEndpoint, ...more });
    ends.push(client.kill);
    return client;
  };
  const [ana, bob] = [await open('ana'), await open('bob', { device })];
  await ana.put('1', { content: 'milk' });
  await sameItems([ana, bob], (items) => items.length === 1, 30_000);
  await bob.close();
  await ana.put('2', { content: 'while bob was away' });
  await waitFor(() => holds(file, 'while bob was away'), { deadline: 30_000 });
  await original.stop();
  const db = new Database(file);
  db.prepare("UPDATE ReplicaInfo SET lastSeenWallClockTime = ? WHERE clientId = 'bob'").run(
    Date.now() - 20 * 24 * 60 * 60 * 1000,
  );
  db.close();

  const app = await startApp({ directory, port, storage: () => sqlStorage({ databaseFile: file }) });
  ends.push(app.stop);
  const back = await open('bob', { device });
  await sameItems([ana, back], (items) => items.length === 2, 30_000);
  expect(back.wire.received('sync-resp').map(({ overwriteLocalData }) => overwriteLocalData)[0]).toBe(true);
  expect((await readdir(directory)).filter((name) => name.includes('.backup-'))).toHaveLength(1);
});

function baselinesIn(file: string): number {
  return read(file, 'SELECT count(*) FROM DocumentBaseline') as number;
}

const holds = (file: string, text: string): boolean =>
  (read(file, `SELECT count(*) FROM OperationHistory WHERE instr(data, '${text}') > 0`) as number) > 0;

function read(file: string, sql: string): unknown {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(sql).pluck().get();
  } finally {
    db.close();
  }
}
