import type { BaselineRow, LibraryStorage, OperationRow } from '@verdant-web/core';
import { expect } from 'vitest';

/** Everything that a library says without being asked for a particular row; undefined counts as nothing. */
export async function dump(library: LibraryStorage) {
  const baselines = await readAll(library.readBaselines());
  await expectBaselineTexts(library, baselines);
  const operations = await readAll(library.readOperations(0, Number.MAX_SAFE_INTEGER));
  await expectOperationTexts(library, operations);
  return {
    loaded: await library.load(0),
    baselines,
    operations,
    replicas: await library.readReplicas(),
    files: await readAll(library.readFiles()),
    expiredFiles: await library.expiredFiles(Number.MAX_SAFE_INTEGER, 1000),
    evictedFiles: await library.evictedFiles(10_000),
  };
}

/** Where the library tells its baselines as they go over the wire, they say what these rows do, in their order. */
export async function expectBaselineTexts(
  library: LibraryStorage,
  rows: readonly BaselineRow[],
): Promise<void> {
  if (!library.readBaselineTexts) return;
  const texts = await readAll(library.readBaselineTexts());
  const said = texts.map(({ oid, authz, text }) => ({ oid, authz, said: JSON.parse(text) as unknown }));
  const meant = rows.map(({ oid, snapshot, timestamp, authz }) => ({
    oid,
    authz,
    said: { oid, snapshot: JSON.parse(snapshot), timestamp, ...(authz === null ? {} : { authz }) },
  }));
  expect(said).toEqual(meant);
}

/** Where it tells its operations as they go over the wire, those after `after` say what these rows do, in their order. */
export async function expectOperationTexts(
  library: LibraryStorage,
  rows: readonly OperationRow[],
  after = 0,
): Promise<void> {
  if (!library.readOperationTexts) return;
  const texts = await readAll(library.readOperationTexts(after, Number.MAX_SAFE_INTEGER));
  const said = texts.map(({ text, ...rest }) => ({ ...rest, said: JSON.parse(text) as unknown }));
  const meant = rows.map(({ order, replicaId, oid, timestamp, data, authz }) => ({
    order,
    replicaId,
    oid,
    timestamp,
    authz,
    said: { oid, timestamp, data: JSON.parse(data), ...(authz === null ? {} : { authz }) },
  }));
  expect(said).toEqual(meant);
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
