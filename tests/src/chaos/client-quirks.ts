import { type Oid, rootOf } from '@verdant-web/protocol';
import { idOf } from '../../simulation/objects.js';
import type { Driver } from '../clients/driver.js';
import type { WireEntry } from '../clients/wire-log.js';
import { type Content, type Operation, readWire } from './ledger.js';
import type { Made } from './person.js';
import { documentsIn } from './reckoning.js';

/** What the published clients do that no server can change, as `docs/compatibility.md` has it. */
export type Quirk =
  /** 5.5.0 hides a document that it read from its own database when a reset comes, until its root changes. */
  | 'hidden by a reset'
  /** 5.5.0 does not show a document again that was deleted and brought back. */
  | 'hidden since it was deleted'
  /** A sync leaves without an edit that is dated before it; the client will not offer it again. */
  | 'not offered'
  /** Stored, but not where the client's own queries look: what tells its entities of changes passes over one now and then. */
  | 'hidden from queries'
  /** What comes while several resets are applied at once is stored, and no longer shown, until the tab is loaded again. */
  | 'hidden by several resets'
  /**
   * What is edited while a reset is applied makes a client fold everything: then it stores nothing of what comes and is
   * older, but shows it.
   */
  | 'folded too early'
  /** A client stops for good where a reset comes while it applies another one, until its tab is loaded again. */
  | 'stopped by a second reset'
  /** 3.6.3 stays paused where it came to a socket, left and came again, all while the first was still being opened. */
  | 'paused while connected';

/** A document of which a client shows, or stores, something else than the server holds. */
export interface Difference {
  root: string;
  /** JSON; undefined: no such document. */
  shown: string | undefined;
  stored: string | undefined;
  expected: string | undefined;
  /** What the client has to have, by its wire. */
  told: string | undefined;
}

export interface Evidence {
  generation: string;
  entries: readonly WireEntry[];
  made: readonly Made[];
  database: Content;
  /** Roots of the documents that the client's queries can find in its database. */
  findable: ReadonlySet<string>;
}

/** The quirk that explains a difference, proven by what the client was told and what it offered; undefined: none does. */
export function quirkOf(difference: Difference, evidence: Evidence): Quirk | undefined {
  const { root, shown, stored, expected, told } = difference;
  // The server still owes it something.
  if (told !== expected) return undefined;
  if (stored === expected) {
    if (showsLess(difference, evidence.entries)) return 'hidden by several resets';
    if (showsWhatItWasTold(difference, evidence.entries)) return 'folded too early';
    if (shown !== undefined) return undefined;
    const known = evidence.generation === '5.5.0' ? hiding(evidence.entries, root) : undefined;
    return known ?? (evidence.findable.has(root) ? undefined : 'hidden from queries');
  }
  if (hasKeptToItself(difference, evidence)) return 'not offered';
  return hasFoldedTooEarly(root, evidence) ? 'folded too early' : undefined;
}

/** Why a client no longer does anything until its tab is loaded again, although the server answers; null: no such reason is known. */
export function stopOf(
  { generation, entries }: Pick<Evidence, 'generation' | 'entries'>,
  { mode, status, connected }: Awaited<ReturnType<Driver['state']>>,
): Quirk | null {
  if (overlappingResets(entries).length > 0) return 'stopped by a second reset';
  const hasSocketOnly = mode === 'realtime' && status === 'paused' && connected;
  return generation === '3.6.3' && hasSocketOnly ? 'paused while connected' : null;
}

/** Where in the wire a tab was sent a reset that it had asked for before it had applied the one before. */
function overlappingResets(entries: readonly WireEntry[]): number[] {
  const sinceOf = new Map<string, string>();
  const overlapping: number[] = [];
  let applied = '';
  entries.forEach(({ direction, message }, index) => {
    if (direction === 'sent' && message.type === 'sync') sinceOf.set(message.timestamp!, message.since ?? '');
    if (direction === 'sent' || !message.overwriteLocalData) return;
    const since = sinceOf.get(message.ackedTimestamp!) ?? '';
    if (applied !== '' && since < applied) overlapping.push(index);
    applied = message.ackedTimestamp!;
  });
  return overlapping;
}

/** Whether what is shown is what came with and since the last of several resets, but for some messages in a row behind it. */
function showsLess({ root, shown }: Difference, entries: readonly WireEntry[]): boolean {
  const last = entries.findLastIndex(({ message }) => message.overwriteLocalData);
  if (!overlappingResets(entries).includes(last)) return false;
  const came = [...entries.keys()].filter(
    (index) =>
      index > last &&
      entries[index]!.direction === 'received' &&
      touching([entries[index]!], root).length > 0,
  );
  for (let from = 0; from < came.length; from++) {
    for (let end = from + 1; end <= came.length; end++) {
      const missed = new Set(came.slice(from, end));
      const { has } = readWire(
        entries.filter((_, index) => !missed.has(index)),
        last,
      );
      const told = documentsIn({ ...has, operations: [...has.operations.values()] });
      if (told.get(root) === shown) return true;
    }
  }
  return false;
}

/**
 * Whether the client founded the library with what it had stored, and shows what it had been told by then, and since: it
 * had stored something else.
 */
function showsWhatItWasTold({ root, shown }: Difference, entries: readonly WireEntry[]): boolean {
  const founding = entries.findLastIndex(({ direction, message }) => {
    const { type, since, baselines = [] } = message;
    return direction === 'sent' && type === 'sync' && since === null && baselines.length > 0;
  });
  const before = entries.slice(0, Math.max(founding, 0));
  const reset = before.findLastIndex(({ message }) => message.overwriteLocalData);
  if (reset < 0) return false;
  const { message, ...entry } = entries[founding]!;
  const notFounding = { ...entry, message: { ...message, since: '', baselines: [] } };
  const told = entries.with(founding, notFounding);
  const { has } = readWire(told, reset);
  return documentsIn({ ...has, operations: [...has.operations.values()] }).get(root) === shown;
}

function hiding(entries: readonly WireEntry[], root: string): Quirk | undefined {
  if (touching(entries, root).some(({ data }) => data.op === 'delete')) return 'hidden since it was deleted';
  const reset = entries.findLastIndex(
    ({ message: { overwriteLocalData, baselines = [], operations = [] } }) =>
      overwriteLocalData && [...baselines, ...operations].some(({ oid }) => oid === root),
  );
  if (reset < 0) return undefined;
  const since = touching(entries.slice(reset + 1), root);
  return since.some(({ oid }) => oid === root) ? undefined : 'hidden by a reset';
}

/** Whether the client holds, or has deleted, what the server never heard of, or was not offered again. */
function hasKeptToItself({ root, stored, expected }: Difference, { entries, made }: Evidence): boolean {
  const sent = touching(
    entries.filter(({ direction }) => direction === 'sent'),
    root,
  );
  // Also a document that its user was told could not be created.
  const isNotOffered = sent.every((operation) => wasLeftOut(operation, entries));
  if (stored !== undefined && isNotOffered && !wasToldOf(root, entries)) return true;
  return made
    .filter((edit) => edit.root === root)
    .some(({ mark, kind }) => {
      if (kind === 'deletes') {
        return stored === undefined && !sent.some(({ data }) => data.op === 'delete');
      }
      if (kind === 'removes') {
        const removals = new Set(sent.filter(({ data }) => REMOVALS.has(data.op)).map(idOf));
        return removals.size < made.filter((edit) => edit.root === root && edit.kind === 'removes').length;
      }
      if (!stored?.includes(mark) || expected?.includes(mark)) return false;
      const offers = sent.filter(({ data }) => JSON.stringify(data).includes(mark));
      return offers.length === 0 || offers.some((offer) => wasLeftOut(offer, entries));
    });
}

const wasToldOf = (root: string, entries: readonly WireEntry[]): boolean =>
  entries.some(
    ({ direction, message: { baselines = [], operations = [] } }) =>
      direction === 'received' &&
      [...baselines, ...operations].some(({ oid }) => rootOf(oid as Oid) === root),
  );

const REMOVALS = new Set(['list-remove', 'list-delete', 'remove']);

/** Whether a sync that had to bring an operation came without it. */
const wasLeftOut = ({ timestamp }: Operation, entries: readonly WireEntry[]): boolean =>
  entries.some(
    ({ direction, message }) =>
      direction === 'sent' &&
      message.type === 'sync' &&
      (message.since ?? '') < timestamp &&
      timestamp < message.timestamp! &&
      !message.operations?.some((operation) => operation.timestamp === timestamp),
  );

/**
 * Whether an operation reached the client before it was told that it may fold that far, and yet the object's baseline is
 * dated past it, without it.
 */
function hasFoldedTooEarly(root: string, { entries, database }: Evidence): boolean {
  const folded = new Map(database.baselines.map(({ oid, timestamp }) => [oid, timestamp]));
  const kept = new Set(database.operations.map(idOf));
  let announced = '';
  for (const entry of entries) {
    if (entry.direction === 'sent') continue;
    for (const operation of touching([entry], root)) {
      const { oid, timestamp } = operation;
      const isInTime = timestamp > announced;
      if (isInTime && !kept.has(idOf(operation)) && timestamp <= (folded.get(oid) ?? '')) return true;
    }
    const { type, timestamp, globalAckTimestamp = '' } = entry.message;
    const told = type === 'global-ack' ? timestamp! : globalAckTimestamp;
    if (told > announced) announced = told;
  }
  return false;
}

const touching = (entries: readonly WireEntry[], root: string): Operation[] =>
  entries.flatMap(({ message }) =>
    ((message.operations ?? []) as unknown as Operation[]).filter(({ oid }) => rootOf(oid) === root),
  );
