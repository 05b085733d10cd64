import { memoryStorage } from '@verdant-web/core/memory';
import { storageContract } from './storage.js';

storageContract({
  name: 'memory',
  durable: false,
  async create() {
    const storage = memoryStorage();
    const reopen = async () => {
      await storage.close();
      return storage;
    };
    return { storage, reopen, dispose: () => storage.close() };
  },
});
