import {
  documentOid,
  isFileRef,
  isObjectRef,
  type LibraryId,
  type Oid,
  type PlainObject,
  type PlainValue,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { FileStorage } from '../files/file-storage.js';
import { afterBaseline, applyRows, objectOf } from '../library/rebase.js';
import type { OperationRow } from '../storage/rows.js';
import type { LibraryStorage } from '../storage/storage.js';

/**
 * A document as it is now: the root object with nested objects in the place of their refs, and files as
 * `{ id, name, type, url }` (null for one that was not uploaded). Null where there is no document.
 *
 * @throws {VerdantError} TooLarge (4130) where objects are nested as no client nests them: a few objects that hold each
 *   other twice, over thirty levels, would be a thousand million.
 */
export async function readDocumentSnapshot(
  library: { id: LibraryId; storage: LibraryStorage; fileStorage: FileStorage | null },
  collection: string,
  key: string,
): Promise<unknown> {
  const root = documentOid(collection, key);
  const objects = await readObjects(library.storage, root);
  const start = objects.get(root);
  if (start === undefined) return null;

  const resolveFile = async (id: string): Promise<unknown> => {
    const file = await library.storage.readFile(id);
    if (!file || !library.fileStorage) return null;
    const { name, type } = file;
    const url = await library.fileStorage.getUrl({ id, libraryId: library.id, name, type });
    return { id, name, type, url };
  };
  let placesLeft = 2 * objects.size + SPARE_PLACES;
  const checkPlace = (depth: number) => {
    if (depth > MAX_DEPTH || --placesLeft < 0) throw tooLarge(root);
  };
  // A ref that leads back to an object it is in, which no client writes, must not be followed for ever.
  const resolve = async (value: PlainValue, within: ReadonlySet<string>): Promise<unknown> => {
    if (isFileRef(value)) return resolveFile(value.id);
    if (isObjectRef(value)) {
      const target = objects.get(value.id as Oid);
      if (target === undefined || within.has(value.id)) return null;
      checkPlace(within.size);
      return resolveFields(target, new Set(within).add(value.id));
    }
    if (typeof value === 'object' && value !== null) return resolveFields(value, within);
    return value;
  };
  const resolveFields = async (object: PlainObject, within: ReadonlySet<string>): Promise<unknown> => {
    if (Array.isArray(object)) {
      const items: unknown[] = [];
      for (const item of object) items.push(await resolve(item, within));
      return items;
    }
    const fields: [string, unknown][] = [];
    for (const [name, value] of Object.entries(object)) fields.push([name, await resolve(value, within)]);
    return Object.fromEntries(fields);
  };
  return resolveFields(start, new Set([root]));
}

/** An object stands in one place, or for a moment in two, while one client moves it. */
const SPARE_PLACES = 1_000;
const MAX_DEPTH = 500;

const tooLarge = (root: Oid) =>
  new VerdantError(
    VerdantErrorCode.TooLarge,
    `The objects of ${root} are nested over ${MAX_DEPTH} levels, or stand in far more places than there are objects.`,
  );

async function readObjects(storage: LibraryStorage, root: Oid): Promise<Map<Oid, PlainObject>> {
  const { baselines, operations } = await storage.readDocument(root);
  const baselineOf = new Map(baselines.map((row) => [row.oid, row]));
  const operationsOf = new Map<Oid, OperationRow[]>(baselines.map(({ oid }) => [oid, []]));
  for (const row of operations) {
    const rows = operationsOf.get(row.oid);
    if (rows) rows.push(row);
    else operationsOf.set(row.oid, [row]);
  }
  const objects = new Map<Oid, PlainObject>();
  for (const [oid, rows] of operationsOf) {
    const baseline = baselineOf.get(oid) ?? null;
    const { state } = applyRows(objectOf(baseline), afterBaseline(baseline, rows));
    if (state !== undefined) objects.set(oid, state);
  }
  return objects;
}
