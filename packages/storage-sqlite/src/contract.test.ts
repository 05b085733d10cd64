import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storageContract } from '@verdant-web/testkit/storage';
import { afterAll, beforeAll } from 'vitest';
import { buildProgram, type Program } from './testing/child.js';
import { kindNames, maxHandlesOf, openKind } from './testing/kinds.js';
import { fastParent } from './testing/temporary.js';

let writer: Program;
beforeAll(async () => {
  writer = await buildProgram('./killed-writer.ts');
});
afterAll(() => writer.dispose());

for (const kind of kindNames) {
  storageContract({
    name: kind,
    durable: true,
    maxHandles: maxHandlesOf(kind),
    async create() {
      const directory = mkdtempSync(join(fastParent(), 'verdant-storage-'));
      const storage = openKind(kind, directory);
      let current = storage;
      const reopen = async () => {
        await current.close();
        current = openKind(kind, directory);
        return current;
      };
      const dispose = async () => {
        await current.close();
        rmSync(directory, { recursive: true, force: true });
      };
      const diskBytes = async () =>
        readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
      return { storage, reopen, dispose, diskBytes, writer: writer.command(kind, directory) };
    },
  });
}
