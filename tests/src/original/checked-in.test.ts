import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlStorage } from '@verdant-web/server/storage';
import { afterEach, expect, test } from 'vitest';
import { generations } from '../clients/bundle.js';
import { openClient } from '../clients/open-client.js';
import { removeFolder, startApp, temporaryFolder } from '../server.js';
import { authUrl, sameItems } from '../world.js';
import { FIXTURE, FIXTURE_ITEMS } from './fixture.js';
import { LIBRARY } from './original-world.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test('clients get from a database of 2.1.2 what its own clients had', { timeout: 90_000 }, async () => {
  const directory = await temporaryFolder();
  ends.push(() => removeFolder(directory));
  const file = join(directory, 'verdant.sqlite');
  await copyFile(FIXTURE, file);
  const app = await startApp({ directory, storage: () => sqlStorage({ databaseFile: file }) });
  ends.push(app.stop);
  const clients = await Promise.all(
    generations.map(async (generation) => {
      const userId = `new of ${generation}`;
      const client = await openClient({
        generation,
        userId,
        authEndpoint: authUrl(app.base, LIBRARY, userId),
      });
      ends.push(client.kill);
      return client;
    }),
  );
  const items = await sameItems(clients, ({ length }) => length > 0, 30_000);
  expect(items).toEqual(JSON.parse(await readFile(FIXTURE_ITEMS, 'utf8')));
  expect(app.errors).toEqual([]);
});
