import { afterEach, describe, expect, test } from 'vitest';
import { type OpenOptions, openClient, type TestClient } from './clients/open-client.js';
import { type Cli, freePort, removeFolder, startCli, temporaryFolder } from './server.js';
import { authUrl, matrix, sameItems } from './world.js';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const cases = matrix.flatMap((kind) =>
  (['SIGKILL', 'SIGTERM'] as const).map((signal) => ({ ...kind, signal })),
);

describe.each(cases)('$signal amid work, $label', ({ generation, transport, signal }) => {
  test('everyone goes on where they were', async () => {
    const cwd = await temporaryFolder();
    const port = await freePort();
    let cli: Cli = await startCli({ cwd, port });
    ends.push(
      () => removeFolder(cwd),
      () => cli.kill(),
    );
    const open = async (userId: string, more: Partial<OpenOptions> = {}): Promise<TestClient> => {
      const authEndpoint = authUrl(cli.base, 'library', userId);
      const client = await openClient({ generation, transport, userId, authEndpoint, ...more });
      ends.push(client.kill);
      return client;
    };

    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1', { content: 'milk' });
    await bob.waitUntil((items) => items.length === 1);
    const writing = Promise.all([
      ...Array.from({ length: 10 }, (_, n) => ana.addTag('1', `a${n}`)),
      ...Array.from({ length: 10 }, (_, n) => bob.addTag('1', `b${n}`)),
    ]);
    if (signal === 'SIGKILL') await cli.kill();
    else expect(await cli.stop(signal)).toEqual({ code: 0, signal: null });
    await writing;
    await bob.put('2', { content: 'written while the server was down' });

    cli = await startCli({ cwd, port });

    const complete = (items: { tags: string[] }[]) => items.length === 2 && items[0]!.tags.length >= 20;
    const [first] = await sameItems([ana, bob], complete, 20_000);
    expect(new Set(first?.tags).size).toBe(20);
    expect(first?.tags).toHaveLength(20);
    // A new device holds nothing but what the server has.
    const cy = await open('cy');
    await sameItems([ana, bob, cy], complete);
    await cy.delete('2');
    await sameItems([ana, bob, cy], (items) => items.length === 1);
  });
});
