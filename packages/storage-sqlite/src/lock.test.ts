import { join } from 'node:path';
import { VerdantError } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { sqlStorage } from './index.js';
import { buildProgram } from './testing/child.js';
import { kindNames, openKind } from './testing/kinds.js';
import { temporaryDirectory } from './testing/temporary.js';

test.each(kindNames)(
  'a second storage on the same files is refused until the first closes (%s)',
  async (kind) => {
    const open = (directory: string) => openKind(kind, directory);
    const directory = temporaryDirectory();
    const first = open(directory);
    expect(() => open(directory)).toThrow(VerdantError);
    expect(() => open(directory)).toThrow(directory);
    expect(() => open(directory)).toThrow(/in use by another .* Stop that one first/);
    await first.close();
    const second = open(directory);
    await second.close();
  },
);

test.each(kindNames)(
  'a second process is refused until the first one dies, however it does (%s)',
  async (kind) => {
    const open = (directory: string) => openKind(kind, directory);
    const program = await buildProgram('./killed-writer.ts');
    const directory = temporaryDirectory();
    const other = program.start(kind, directory);
    try {
      await other.lines.next();
      expect(() => open(directory)).toThrow(/in use by another/);
    } finally {
      await other.kill();
      program.dispose();
    }
    await open(directory).close();
  },
);

test('storages on different files do not disturb each other', async () => {
  const directory = temporaryDirectory();
  const one = sqlStorage({ databaseFile: join(directory, 'one.sqlite') });
  const two = sqlStorage({ databaseFile: join(directory, 'two.sqlite') });
  await one.close();
  await two.close();
});
