import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type OpenOptions, openClient, type TestClient } from './clients/open-client.js';
import { type Cli, DEFAULT_PORT, removeFolder, startCli, temporaryFolder } from './server.js';
import { authUrl, sameItems } from './world.js';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function quickStart() {
  const cwd = await temporaryFolder();
  let cli: Cli = await startCli({ cwd, bare: true });
  ends.push(
    () => removeFolder(cwd),
    () => cli.kill(),
  );
  return {
    cwd,
    get cli() {
      return cli;
    },
    again: async () => {
      cli = await startCli({ cwd, bare: true });
    },
    open: async (options: Omit<OpenOptions, 'transport'>): Promise<TestClient> => {
      const client = await openClient(options);
      ends.push(client.kill);
      return client;
    },
  };
}

/** Nothing about the connection is tuned, so a lone client notices another after up to 15 s. */
const NEXT_POLL_MS = 25_000;

test('verdant-server and cliSync meet by their defaults', async () => {
  const start = await quickStart();
  const bySample = (userId: string) =>
    start.open({ generation: '5.5.0', userId, sync: ({ cliSync }) => cliSync('a-library') });

  const ana = await bySample('ana');
  await ana.put('1', { content: 'milk' });
  const bob = await bySample('bob');
  await sameItems([ana, bob], (items) => items.length === 1, NEXT_POLL_MS);
  await bob.addTag('1', 'cold');
  await sameItems([ana, bob], ([first]) => first?.tags.length === 1, NEXT_POLL_MS);
  expect(ana.device.localStorage.getItem('verdant-userId')).not.toBe(
    bob.device.localStorage.getItem('verdant-userId'),
  );
  await bob.attachImage('1', { name: 'photo.png', type: 'image/png', bytes: new Uint8Array([1, 2, 3]) });
  await sameItems([ana, bob], ([first]) => first?.image, NEXT_POLL_MS);
  await expect
    .poll(async () => (await ana.image('1'))?.bytes, { timeout: 15_000 })
    .toEqual(new Uint8Array([1, 2, 3]));

  expect(existsSync(join(start.cwd, 'verdant.sqlite'))).toBe(true);
  expect((await readFile(join(start.cwd, 'verdant.sqlite'))).subarray(0, 15).toString()).toBe(
    'SQLite format 3',
  );
  expect(start.cli.output).toMatch(/cliSync/);
  expect(start.cli.output).toContain(String(DEFAULT_PORT));

  // 5.5.0 gives up for good when it cannot fetch a token, and says so to nobody but the console.
  ana.kill();
  bob.kill();
  expect(await start.cli.stop()).toEqual({ code: 0, signal: null });
  await start.again();
  const cy = await bySample('cy');
  await cy.waitUntil(([first]) => first?.tags.length === 1);
}, 120_000);

test('the auth endpoint that it names works for a 3.6.3 client by its defaults', async () => {
  const start = await quickStart();
  const byDefaults = (userId: string) =>
    start.open({
      generation: '3.6.3',
      userId,
      sync: () => ({
        initialPresence: {},
        defaultProfile: {},
        authEndpoint: authUrl(start.cli.base, 'a library', userId),
      }),
    });
  const ana = await byDefaults('ana');
  await ana.put('1', { content: 'milk' });
  const bob = await byDefaults('bob');
  await sameItems([ana, bob], (items) => items.length === 1, NEXT_POLL_MS);
  await ana.addTag('1', 'cold');
  await sameItems([ana, bob], ([first]) => first?.tags.length === 1, NEXT_POLL_MS);
}, 120_000);
