import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Storage } from '@verdant-web/core';
import { storageContract } from '@verdant-web/testkit/storage';
import { sqlShardStorage, sqlStorage } from './index.js';
import { fastParent } from './testing/temporary.js';

const makers: Record<string, (directory: string) => Storage> = {
  'sqlShardStorage, full': (directory) => sqlShardStorage({ databasesDirectory: directory }),
  'sqlShardStorage, normal, 2 files open at most': (directory) =>
    sqlShardStorage({ databasesDirectory: directory, durability: 'normal', maxOpenDatabases: 2 }),
  'sqlStorage, full': (directory) => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
  'sqlStorage, normal': (directory) =>
    sqlStorage({ databaseFile: join(directory, 'verdant.sqlite'), durability: 'normal' }),
};

for (const [name, make] of Object.entries(makers)) {
  storageContract({
    name,
    async create() {
      const directory = mkdtempSync(join(fastParent(), 'verdant-storage-'));
      const storage = make(directory);
      let current = storage;
      const reopen = async () => {
        await current.close();
        current = make(directory);
        return current;
      };
      const dispose = async () => {
        await current.close();
        rmSync(directory, { recursive: true, force: true });
      };
      return { storage, reopen, dispose };
    },
  });
}
