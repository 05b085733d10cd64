import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storageContract } from '@verdant-web/testkit/storage';
import { afterAll, beforeAll } from 'vitest';
import { buildProgram, type Program } from './child.js';
import { type Kind, maxHandlesOf, openKind } from './kinds.js';
import { fastParent } from './temporary.js';

/** Registers the suite of every storage, for this way to use the package. In a file of its own each, so that some run side by side. */
export function contractOf(kind: Kind): void {
  let writer: Program;
  beforeAll(async () => {
    writer = await buildProgram('./killed-writer.ts');
  });
  afterAll(() => writer.dispose());

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
