import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonFileStorage } from '../../examples/custom-storage/src/json-file-storage.js';
import { inWorld, matrix } from './world.js';

const storage = (directory: string) => jsonFileStorage({ directory });

describe.each(matrix)("the guide's storage backend, $label", ({ generation, transport }) => {
  test('clients sync through it, also after a restart and from scratch', async () => {
    await inWorld({ generation, transport, storage }, async ({ app, open, reopen, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1', { content: 'milk' });
      await bob.waitUntil((items) => items.length === 1);
      await Promise.all([ana.addTag('1', 'cold'), bob.addTag('1', 'fresh')]);
      await converged([ana, bob], ([first]) => first?.tags.length === 2);
      await bob.put('2', { content: 'bread' });
      await converged([ana, bob], (items) => items.length === 2 && items[0]!.tags.length === 2);
      // What is being written beside it takes its place in a moment.
      const files = await readdir(join(app.directory, 'databases'));
      expect(files.filter((name) => !name.endsWith('.new'))).toHaveLength(1);

      await app.restart();
      await ana.put('3', { content: 'tea' });
      const back = await reopen(bob);
      const cy = await open('cy');
      await converged([ana, back, cy], (items) => items.length === 3);
    });
  });
});
