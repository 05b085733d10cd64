import type { Storage } from '@verdant-web/core';
import { findFoldable } from '@verdant-web/core/backend';
import { memoryStorage } from '@verdant-web/core/memory';
import { storageContract } from './storage.js';

const kinds: Record<string, () => Storage> = {
  memory: memoryStorage,
  'memory, finding what may be folded by lookups': () => {
    const storage = memoryStorage();
    const open: Storage['open'] = async (id) => {
      const library = await storage.open(id);
      library.foldable = (query) => findFoldable(library, query);
      return library;
    };
    return { ...storage, open };
  },
};

for (const [name, make] of Object.entries(kinds)) {
  storageContract({
    name,
    durable: false,
    async create() {
      const storage = make();
      const reopen = async () => {
        await storage.close();
        return storage;
      };
      return { storage, reopen, dispose: () => storage.close() };
    },
  });
}
