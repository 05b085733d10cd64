import { randomUUID } from 'node:crypto';
import { storageContract } from '@verdant-web/testkit/storage';
import { afterAll, beforeAll } from 'vitest';
import { RemoteStorageObject } from './testing/remote-storage.js';
import { type KitWorker, startKitWorker } from './testing/start-kit-worker.js';

let worker: KitWorker;
beforeAll(async () => {
  worker = await startKitWorker();
});
afterAll(() => worker.stop());

storageContract({
  name: 'ObjectStorage in a Durable Object',
  // It is, but not by its own doing: the runtime holds answers back until what was written is durable. To be killed it would
  // need a program of its own around each object, which would prove the runtime.
  durable: false,
  async create() {
    const object = new RemoteStorageObject(worker.base, randomUUID());
    return {
      storage: await object.reopen(),
      reopen: () => object.reopen(),
      dispose: () => object.remove(),
    };
  },
});
