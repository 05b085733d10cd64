import { readdirSync } from 'node:fs';
import { emptyHead, type RevocationRow } from '@verdant-web/core';
import type { LibraryId, UserId } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { sqlShardStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

const revocation: RevocationRow = { userId: 'ann' as UserId, libraryId: null, issuedBefore: 7 };

test('the file comes with the first revocation, and is not taken for a library', async () => {
  const directory = temporaryDirectory();
  const storage = sqlShardStorage({ databasesDirectory: directory });
  expect(await storage.readRevocations()).toEqual([]);
  expect(readdirSync(directory)).toEqual(['.verdant-lock']);
  await storage.putRevocation(revocation);
  expect(readdirSync(directory)).toContain('.verdant-revocations');
  for await (const id of storage.list()) expect.fail(`${id} was listed`);
  await storage.close();
});

test.each(['.verdant-revocations', '%2everdant-revocations'])(
  'is not the file of the library %s',
  async (id) => {
    const directory = temporaryDirectory();
    const storage = sqlShardStorage({ databasesDirectory: directory });
    await storage.putRevocation(revocation);
    const library = await storage.open(id as LibraryId);
    expect(await library.load(0)).toBe(null);
    await library.evict({ ...emptyHead, epoch: 1, version: 1 });
    expect(await storage.readRevocations()).toEqual([revocation]);
    await storage.close();
  },
);
