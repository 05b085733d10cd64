import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Storage, Verdant } from '@verdant-web/core';
import {
  formatTimestamp,
  type ReplicaId,
  ReplicaType,
  type SyncResponseMessage,
} from '@verdant-web/protocol';
import { createVerdant, LocalFileStorage } from '@verdant-web/server';
import Database from 'better-sqlite3';
import type { LibraryPromise, PromiseBook, Written } from './promise.js';
import { tokenOf } from './recorded-replica.js';
import { type Durability, openStorage, type StorageKind } from './recording.js';
import { bytesOf, contentOf } from './told.js';

/** What was found after the power came back. */
export interface Aftermath {
  /** Things that were promised, and are not there. */
  lost: string[];
  /** What must never be, whatever was lost. */
  broken: string[];
  /** How many baselines there are: history was folded. */
  baselines: number;
}

/** Starts a server on what the disk was found to hold, and compares it with what was promised. */
export async function inspect(
  root: string,
  book: PromiseBook,
  { kind, durability }: { kind: StorageKind; durability: Durability },
): Promise<Aftermath> {
  const found: Aftermath = { lost: [], broken: [], baselines: 0 };
  let storage: Storage | undefined;
  try {
    storage = openStorage(root, kind, durability);
    await inspectServer(root, storage, book, found);
  } catch (error) {
    found.broken.push(`the server failed: ${(error as Error).stack}`);
    await storage?.close();
  }
  for (const name of databasesIn(join(root, 'databases')))
    checkDatabase(join(root, 'databases', name), found);
  return found;
}

async function inspectServer(
  root: string,
  storage: Storage,
  book: PromiseBook,
  found: Aftermath,
): Promise<void> {
  const fileStorage = new LocalFileStorage({ rootDirectory: join(root, 'files'), host: 'http://localhost/' });
  const revoked = new Set((await storage.readRevocations()).map(({ userId }) => String(userId)));
  const core = createVerdant({
    storage,
    fileStorage,
    tokenSecret: 'a secret of the tests, long enough for anyone',
    log: (level, message, fields) => {
      if (level === 'error') found.broken.push(`${message} ${String(fields.err)}`);
    },
  });
  for (const [user, confirmed] of book.revoked) {
    if (confirmed && !revoked.has(user)) found.lost.push(`the revocation of ${user}`);
  }
  for (const [id, promise] of book.libraries) {
    await inspectLibrary(core, id, promise, found);
    await inspectFiles(core, root, id, promise, found);
    await goOn(core, id, promise, found);
  }
  await core.close();
}

async function inspectLibrary(
  core: Verdant,
  id: string,
  promise: LibraryPromise,
  found: Aftermath,
): Promise<void> {
  const info = await core.get(id).getInfo();
  const { operations, baselines } = await sync(core, id, 'reader', READER);
  if ((info?.operationsCount ?? 0) !== operations.length || (info?.baselinesCount ?? 0) !== baselines.length)
    found.broken.push(`${id}: its head tells of other rows than there are`);
  found.baselines += baselines.length;
  const held = new Map<string, unknown>(baselines.map(({ oid, snapshot }) => [oid, snapshot]));
  for (const { oid, data } of operations) {
    if (held.has(oid)) found.broken.push(`${id}: ${oid} is there twice`);
    held.set(oid, data.op === 'initialize' ? data.value : data);
  }
  for (const [oid, value] of held) {
    const { content } = value as { content: string };
    if (content !== contentOf(oid)) found.broken.push(`${id}: ${oid} holds what nobody wrote`);
    if (promise.gone.has(oid)) found.lost.push(`${id}: the eviction that took ${oid}`);
  }
  const has = ({ oid }: Written) => held.has(oid);
  const written = [...promise.written.values()];
  const wasEvicted = promise.evicting && !written.some(has);
  if (wasEvicted) return;
  for (const operation of written)
    if (operation.promised && !has(operation)) found.lost.push(`${id}: ${operation.oid}`);
  for (const hole of holes(written, has)) found.broken.push(`${id}: ${hole}`);
}

/** Of each device's operations the first ones are there, in whole messages. */
function* holes(written: readonly Written[], has: (operation: Written) => boolean): Iterable<string> {
  for (const writer of new Set(written.map((operation) => operation.writer))) {
    const operations = written.filter((operation) => operation.writer === writer);
    const end = operations.findIndex((operation) => !has(operation));
    if (end < 0) continue;
    const later = operations.slice(end).find(has);
    if (later) yield `${writer} wrote ${operations[end]!.oid} before ${later.oid}, and it is not there`;
    if (end > 0 && operations[end - 1]!.message === operations[end]!.message)
      yield `a message of ${writer} is there in part`;
  }
}

async function inspectFiles(
  core: Verdant,
  root: string,
  id: string,
  promise: LibraryPromise,
  found: Aftermath,
): Promise<void> {
  if (promise.evicting) return;
  for (const [file, confirmed] of promise.files) {
    const info = await core.get(id).getFileInfo(file);
    if (!info && confirmed) found.lost.push(`${id}: the file ${file}`);
    const path = join(root, 'files', id, file, 'a.txt');
    const bytes = existsSync(path) ? readFileSync(path, 'utf8') : null;
    if (bytes !== null && bytes !== bytesOf(file))
      found.broken.push(`${id}: ${file} is not what was uploaded`);
    if (info && bytes === null) found.broken.push(`${id}: ${file} has a record and no bytes`);
  }
}

/** A device comes back with what it was not told of, and one that is new reads it. */
async function goOn(core: Verdant, id: string, promise: LibraryPromise, found: Aftermath): Promise<void> {
  if (promise.evicting || found.lost.length > 0) return;
  for (const [writer, since] of promise.since) {
    const mine = [...promise.written.values()].filter((operation) => operation.writer === writer);
    const unconfirmed = mine.filter(({ timestamp }) => timestamp > since);
    if (mine.length === 0) continue;
    const operations = unconfirmed.map(({ oid, timestamp }) => ({
      oid,
      timestamp,
      data: { op: 'initialize', value: { id: oid.split('/')[1]!, content: contentOf(oid) } },
    }));
    const answer = await sync(core, id, writer, { since, operations });
    if (answer.overwriteLocalData) found.broken.push(`${id}: ${writer} was reset`);
    const { operations: now, baselines } = await sync(core, id, 'reader', READER);
    // One that comes late is repaired by another one of the same object, with a time of its own.
    for (const { oid, timestamp } of unconfirmed) {
      const times = now.filter((each) => each.oid === oid && each.timestamp === timestamp).length;
      const isThere = [...now, ...baselines].some((each) => each.oid === oid);
      if (!isThere || times > 1) found.broken.push(`${id}: ${oid} came again, and is there ${times} times`);
    }
  }
}

/** Changes nothing for others. */
const READER: SyncOptions = { type: ReplicaType.ReadOnlyRealtime };

interface SyncOptions {
  type?: ReplicaType;
  since?: string | null;
  operations?: object[];
}

let syncs = 0;

async function sync(
  core: Verdant,
  library: string,
  replicaId: string,
  { type = ReplicaType.Realtime, since = null, operations = [] }: SyncOptions,
): Promise<SyncResponseMessage> {
  const counter = ++syncs;
  // Each reading is by a device of its own.
  const id = (type === ReplicaType.Realtime ? replicaId : `${replicaId}-${counter}`) as ReplicaId;
  const timestamp = formatTimestamp({ version: 1, ms: Date.now(), counter, node: 'after' });
  const message = { type: 'sync', replicaId: id, timestamp, operations, baselines: [], schemaVersion: 1 };
  const body = JSON.stringify({ messages: [{ ...message, since, resyncAll: since === null }] });
  let text = '';
  const token = { ...tokenOf(library, replicaId), type };
  for await (const piece of await core.request(token, body)) text += piece;
  const { messages } = JSON.parse(text) as { messages: SyncResponseMessage[] };
  const answer = messages.find((each) => each.type === 'sync-resp');
  if (!answer) throw new Error(`${library} answered ${text.slice(0, 200)}`);
  return answer;
}

const databasesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => /\.sqlite$|-revocations$/.test(name)) : [];

function checkDatabase(path: string, found: Aftermath): void {
  try {
    const db = new Database(path, { fileMustExist: true });
    const result = db.pragma('integrity_check', { simple: true });
    db.close();
    if (result !== 'ok') found.broken.push(`${path}: ${result}`);
  } catch (error) {
    found.broken.push(`${path}: ${String(error)}`);
  }
}
