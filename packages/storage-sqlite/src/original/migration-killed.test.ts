import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from '../index.js';
import { buildProgram, type Program } from '../testing/child.js';
import { readLibrary } from '../testing/library-rows.js';
import {
  leaveAsKilled,
  ORIGINAL_KINDS,
  type OriginalKind,
  openOriginal,
  writeOriginal,
} from '../testing/original-files.js';
import { at, operation, usualLibrary } from '../testing/original-library.js';
import { fastParent, temporaryDirectory } from '../testing/temporary.js';

const UNIFIED = ORIGINAL_KINDS['3.x unified, v2'];

let program: Program;
beforeAll(async () => {
  program = await buildProgram('./migrating-program.ts');
});
afterAll(() => program.dispose());

test.each<[string, OriginalKind, 'closed' | 'killed']>([
  ['unified', UNIFIED, 'closed'],
  ['sharded', ORIGINAL_KINDS['4.x sharded, 2'], 'closed'],
  ['unified, with a log', UNIFIED, 'killed'],
])('whatever statement a migration dies at, the file is whole (%s)', async (_, kind, left) => {
  const directory = temporaryDirectory(fastParent());
  const path = join(directory, 'one.sqlite');
  const db = openOriginal(path, kind, {});
  db.pragma('journal_mode = WAL');
  db.close();
  const again = openOriginal(join(directory, 'rows.sqlite'), kind, { one: usualLibrary() });
  again.close();
  const filled = new Database(path);
  filled.prepare('ATTACH ? AS filled').run(join(directory, 'rows.sqlite'));
  for (const table of ['OperationHistory', 'DocumentBaseline', 'ReplicaInfo', 'FileMetadata'])
    filled.exec(`INSERT INTO main.${table} SELECT * FROM filled.${table}`);
  if (left === 'killed') leaveAsKilled(filled, path);
  else filled.close();

  const moments = momentsOf(directory, () => {
    const storage = open(path, kind);
    return readLibrary(storage, 'one').finally(() => storage.close());
  });
  const expected = await moments.result;
  expect(expected?.operations).toHaveLength(3);
  expect(moments.directories.length).toBeGreaterThan(10);
  for (const moment of moments.directories) {
    const storage = open(join(moment, 'one.sqlite'), kind);
    expect(await readLibrary(storage, 'one'), moment).toEqual(expected);
    await storage.close();
    const whole = new Database(join(moment, 'one.sqlite'));
    expect(whole.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(whole.pragma('auto_vacuum', { simple: true })).toBe(2);
    whole.close();
    // Killed over and over, it must not fill the disk with copies.
    expect(
      readdirSync(moment).filter((name) => name.includes('.backup-')),
      moment,
    ).toHaveLength(1);
  }
});

test('a migration may be killed at any time, again and again', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'verdant.sqlite');
  const operations = Array.from({ length: 20_000 }, (_, n) =>
    operation(n + 3, 'ana', { timestamp: at(n / 100) }),
  );
  writeOriginal(path, UNIFIED, { one: { ...usualLibrary(), operations } });
  let killed = 0;
  for (let round = 0, finished = false; round < 25 && !finished; round++) {
    const running = program.start(path);
    await running.lines.next();
    const done = running.lines.next();
    finished = await Promise.race([done.then(({ value }) => value === 'done'), pause(round * 80, false)]);
    await running.kill();
    if (!finished) killed++;
  }
  expect(killed).toBeGreaterThan(0);
  const storage = sqlStorage({ databaseFile: path });
  const library = await readLibrary(storage, 'one');
  expect(library?.head).toMatchObject({ operations: 20_000, order: 20_001, baselines: 1 });
  expect(library?.operations.map(({ order }) => order)).toEqual(operations.map((_, n) => n + 2));
  await storage.close();
  expect(readdirSync(directory).filter((name) => name.includes('.backup-'))).toHaveLength(1);
});

test('what an earlier attempt left half done is not in the way', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'verdant.sqlite');
  writeOriginal(path, UNIFIED, { one: usualLibrary() });
  for (const part of ['.backing-up', '.inspected', '.inspected-wal', '.inspected-journal'])
    writeFileSync(path + part, 'half a file');
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.close();
  const storage = sqlStorage({ databaseFile: path });
  expect((await readLibrary(storage, 'one'))?.operations).toHaveLength(3);
  await storage.close();
});

const open = (path: string, { unified }: OriginalKind) =>
  unified ? sqlStorage({ databaseFile: path }) : sqlShardStorage({ databasesDirectory: join(path, '..') });

/**
 * Runs `work`, and keeps what lies on disk before and after each of SQLite's calls in it: what a process leaves that is
 * killed then.
 */
function momentsOf<T>(directory: string, work: () => T): { directories: string[]; result: T } {
  const parent = temporaryDirectory(fastParent());
  const directories: string[] = [];
  let busy = false;
  const keep = () => {
    if (busy) return;
    busy = true;
    const moment = join(parent, String(directories.length));
    mkdirSync(moment);
    for (const name of readdirSync(directory)) {
      if (!/lock|-shm$|^rows/.test(name)) copyFileSync(join(directory, name), join(moment, name));
    }
    directories.push(moment);
    busy = false;
  };
  const probe = new Database(':memory:');
  const statements = Object.getPrototypeOf(probe.prepare('SELECT 1')) as object;
  probe.close();
  const restore = [
    ...(['exec', 'pragma', 'close'] as const).map((name) => around(Database.prototype, name, keep)),
    ...['run', 'get', 'all'].map((name) => around(statements, name as never, keep)),
  ];
  try {
    return { directories, result: work() };
  } finally {
    for (const each of restore) each();
  }
}

function around<Name extends string>(target: object, name: Name, keep: () => void): () => void {
  const methods = target as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[name]!;
  methods[name] = function (this: unknown, ...args: unknown[]) {
    keep();
    try {
      return original.apply(this, args);
    } finally {
      keep();
    }
  };
  return () => {
    methods[name] = original;
  };
}
