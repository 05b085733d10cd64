import type { Oid, PlainObject } from '@verdant-web/protocol';
import { canonical, documentsOf } from '../../simulation/objects.js';
import type { TestClient } from '../clients/open-client.js';
import { RawReplica } from '../wire.js';
import { type Content, objectsOf } from './ledger.js';

/** Documents by root, as JSON with sorted fields. */
export type Documents = ReadonlyMap<string, string>;

/** Object by object, what the server holds and should not, or holds not and should. */
export function lostObjects(promised: Content, held: Content): string[] {
  const [expected, found] = [objectsOf(promised), objectsOf(held)];
  const differing: string[] = [];
  for (const oid of new Set([...expected.keys(), ...found.keys()])) {
    const [should, is] = [textOf(expected, oid), textOf(found, oid)];
    if (should !== is) differing.push(`${oid} is ${is}, and should be ${should}`);
  }
  return differing;
}

const textOf = (objects: ReadonlyMap<Oid, PlainObject>, oid: Oid) =>
  objects.has(oid) ? canonical(objects.get(oid)) : 'absent';

/** All that the server holds of the library, as it tells a device that comes for the first time and counts for nothing. */
export async function readServer(base: string, library: string): Promise<Content> {
  const reader = new RawReplica(library, 'reader', 'socket', READ_ONLY_REALTIME);
  try {
    return (await reader.connect(base)) as unknown as Content;
  } finally {
    reader.disconnect();
  }
}

const READ_ONLY_REALTIME = 5;

export const documentsIn = (content: Content): Documents => documentsOf(objectsOf(content));

/** What a client shows. */
export async function shownBy(client: TestClient): Promise<Documents> {
  const [items, boards] = await Promise.all([client.list(), client.boards()]);
  return new Map([
    ...items.map((item) => [`items/${item.id}`, canonical(item)] as const),
    ...boards.map((board) => [`boards/${board.id}`, canonical(board)] as const),
  ]);
}

/** Roots of which two differ. */
export const differences = (one: Documents, other: Documents): string[] =>
  [...new Set([...one.keys(), ...other.keys()])].filter((root) => one.get(root) !== other.get(root));
