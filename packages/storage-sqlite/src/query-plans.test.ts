import type { LibraryStorage, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  createSchema,
  listLibraries,
  OpenLibraries,
  putRevocation,
  readRevocations,
  type SqlAccess,
  SqlDatabase,
} from '@verdant-web/storage-sql';
import { storageContract } from '@verdant-web/testkit/storage';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { BetterSqliteDriver } from './driver.js';

/** Every statement that the contract's suite led to. */
const statements = new Set<string>();

class RecordingDriver extends BetterSqliteDriver {
  override prepare(sql: string) {
    statements.add(sql);
    return super.prepare(sql);
  }
}

storageContract({
  name: 'storage-sql on one connection, its statements recorded',
  // On a database in memory.
  durable: false,
  async create() {
    const db = new Database(':memory:');
    db.pragma('auto_vacuum = INCREMENTAL');
    const driver = new RecordingDriver(db);
    createSchema(driver);
    const database = new SqlDatabase(driver);
    let storage = plainStorage(database);
    const first = storage;
    const reopen = async () => {
      await storage.close();
      storage = plainStorage(database);
      return storage;
    };
    return { storage: first, reopen, dispose: async () => void db.close() };
  },
});

/** Storage on a database that somebody else opened, as it would be in a Durable Object. */
function plainStorage(database: SqlDatabase): Storage {
  const libraries = new OpenLibraries();
  const access: SqlAccess = {
    read: (work) => work(database),
    write: async (work) => database.driver.transaction(() => work(database)),
    release: () => {},
  };
  return {
    limits: { maxValueBytes: 2 ** 29 - 24, multiProcess: false },
    open: async (id): Promise<LibraryStorage> => libraries.open(id, access),
    async *list(after): AsyncIterable<LibraryId> {
      yield* listLibraries(database, after ?? null, 1000);
    },
    readRevocations: async () => readRevocations(database),
    putRevocation: async (row) => database.driver.transaction(() => putRevocation(database, row)),
    close: async () => libraries.close('closed'),
  };
}

/** Where a statement is about the whole library, or about the first rows of it: nothing else may be. */
const WHOLE_LIBRARY = [
  /^DELETE FROM \w+ WHERE library = \?$/,
  /^SELECT [\w, ]+ FROM \w+ WHERE library = \? (ORDER BY [\w, ]+ )?LIMIT (\?|\d+)( OFFSET 100)?$/,
  /^SELECT [\w, ]+ FROM (baseline|replica) WHERE library = \? ORDER BY (oid|id)$/,
  /FROM baseline WHERE library = \? ORDER BY oid LIMIT 500\)$/,
  /^UPDATE OR IGNORE (replica|access|file) SET library = \? WHERE library = \?$/,
  /^SELECT number, id FROM author WHERE library = \?$/,
];

/** A few hundred rows at once, in the order of the table that they go to. */
const SORTED_ON_PURPOSE = 'INSERT INTO object_operation';

test('[WORK-5] every statement finds its rows by an index', () => {
  // Those of the suite above, which ran before.
  expect(statements.size).toBeGreaterThan(40);
  const db = new Database(':memory:');
  const driver = new BetterSqliteDriver(db);
  createSchema(driver);
  // Makes its own table when it is first needed.
  putRevocation(new SqlDatabase(driver), { userId: null, libraryId: null, issuedBefore: 0 });
  for (const sql of statements) {
    const plan = db
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from(sql.matchAll(/\?/g), () => 1))
      .map((step) => step.detail);
    const plain = sql.trim().replace(/\s+/g, ' ');
    const isList = /^SELECT (DISTINCT id FROM library|1 FROM sqlite_schema|.* FROM revocation$)/.test(plain);
    for (const step of plan) {
      if (!isList) expect.soft(step, plain).not.toMatch(/^SCAN (?!\(subquery)/);
      if (!plain.startsWith(SORTED_ON_PURPOSE)) expect.soft(step, plain).not.toMatch(/TEMP B-TREE/);
      if (!WHOLE_LIBRARY.some((pattern) => pattern.test(plain)))
        expect.soft(step, plain).not.toMatch(/\(library=\?\)$/);
    }
  }
  db.close();
});
