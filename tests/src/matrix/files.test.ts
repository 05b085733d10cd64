import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { File, TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const photo = (bytes = 100_000): File => ({
  name: 'my photo #1.png',
  type: 'image/png',
  bytes: new Uint8Array(randomBytes(bytes)),
});

/** Clients ask once a second for a file that is not there yet. */
const loaded = (client: TestClient, id: string) =>
  waitFor(() => client.image(id), { deadline: 15_000, describe: client.describe });

scenario(
  'come from one client to another, byte for byte',
  {},
  async ({ server, library, open, reopen, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1', { content: 'milk' });
    const file = photo();
    await ana.attachImage('1', file);
    const [item] = await converged([ana, bob], ([first]) => first?.image);

    const received = await loaded(bob, '1');
    expect(Buffer.compare(received.bytes, file.bytes)).toBe(0);
    expect(received).toMatchObject({ name: file.name, type: file.type });
    const info = await server.getFileInfo(item!.image!);
    expect(info).toMatchObject({ id: item!.image, libraryId: library, name: file.name, type: file.type });

    await bob.close();
    const bobAgain = await reopen(bob);
    expect(Buffer.compare((await loaded(bobAgain, '1')).bytes, file.bytes)).toBe(0);
  },
);

scenario('attached while offline are uploaded later', {}, async ({ open, converged }) => {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1');
  await bob.waitUntil((items) => items.length === 1);
  await ana.goOffline();
  const file = photo(5_000);
  await ana.attachImage('1', file);
  await ana.goOnline();
  await converged([ana, bob], ([first]) => first?.image);
  // A client offers what it has stored by the time that it is back; what it stores a moment later, when it is back again.
  const received = await loaded(bob, '1').catch(async () => {
    await ana.goOffline();
    await ana.goOnline();
    return loaded(bob, '1');
  });
  expect(Buffer.compare(received.bytes, file.bytes)).toBe(0);
});

scenario(
  '[FILE-10] are deleted when nothing refers to them any more and everyone has left',
  { server: { fileDeleteExpirationDays: 0, presenceLeaseMs: 5_000 } },
  async ({ server, target, open, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1');
    await ana.attachImage('1', photo(1_000));
    const [item] = await converged([ana, bob], ([first]) => first?.image);
    await loaded(bob, '1');
    await bob.detachImage('1');
    await ana.waitUntil(([first]) => first?.image === null);
    // What releases the file is folded once all have acknowledged something newer.
    for (const tag of ['a', 'b']) {
      await ana.addTag('1', tag);
      await bob.waitUntil(([first]) => first?.tags.includes(tag));
      await bob.addTag('1', `${tag} of bob`);
      await ana.waitUntil(([first]) => first?.tags.includes(`${tag} of bob`));
    }
    const fileId = item!.image!;
    await waitFor(async () => (await server.getInfo())!.operationsCount < 5, {
      describe: () => server.getInfo(),
    });
    expect(await server.getFileInfo(fileId)).not.toBeNull();
    expect(await target.keepsFile(fileId)).toBe(true);
    await ana.close();
    await bob.close();
    await waitFor(async () => (await server.getFileInfo(fileId)) === null, {
      deadline: 40_000,
      describe: () => `${fileId} is still there`,
    });
    // Bytes first, then the record.
    expect(await target.keepsFile(fileId)).toBe(false);
  },
);
