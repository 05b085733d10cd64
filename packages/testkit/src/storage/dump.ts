import type { LibraryStorage } from '@verdant-web/core';

/** Everything that a library says without being asked for a particular row; undefined counts as nothing. */
export async function dump(library: LibraryStorage) {
  return {
    loaded: await library.load(0),
    baselines: await readAll(library.readBaselines()),
    operations: await readAll(library.readOperations(0, Number.MAX_SAFE_INTEGER)),
    replicas: await library.readReplicas(),
    files: await readAll(library.readFiles()),
    expiredFiles: await library.expiredFiles(Number.MAX_SAFE_INTEGER, 1000),
    evictedFiles: await library.evictedFiles(10_000),
  };
}

/** The rows of all pages, one after the other. */
export async function readAll<Row>(pages: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
