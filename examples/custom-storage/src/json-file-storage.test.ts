import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { storageContract } from '@verdant-web/testkit/storage';
import { jsonFileStorage } from './json-file-storage.js';

const writer = fileURLToPath(new URL('./json-file-storage.writer.ts', import.meta.url));
// The suite flushes tens of thousands of times: in memory, where the system has a place there.
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

storageContract({
  name: 'jsonFileStorage',
  durable: true,
  async create() {
    const directory = mkdtempSync(join(parent, 'json-file-storage-'));
    let storage = jsonFileStorage({ directory });
    return {
      storage,
      async reopen() {
        await storage.close();
        storage = jsonFileStorage({ directory });
        return storage;
      },
      async dispose() {
        await storage.close();
        rmSync(directory, { recursive: true });
      },
      diskBytes: async () =>
        readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0),
      writer: [process.execPath, '--import', import.meta.resolve('tsx'), writer, directory],
    };
  },
});
