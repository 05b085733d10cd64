import {
  applyPatch,
  compareTimestamps,
  isZeroTimestamp,
  type Oid,
  type Patch,
  type PlainObject,
  SERVER_REPLICA_ID,
  type ServerOrder,
  type Timestamp,
  timestampAfter,
} from '@verdant-web/protocol';
import type { BaselineRow, Head, OperationRow } from '../storage/rows.js';
import type { AdmittedOperation } from './admission.js';
import type { Draft } from './draft.js';
import type { Effect } from './effects.js';
import type { ObjectHistory } from './facts.js';
import { laterOf } from './later-of.js';
import { afterBaseline, applyRows, type ObjectNow, objectOf } from './rebase.js';

/*
 * Clients fold by the announced global ack, and fold at once what a reset or a founding brings them. A change that is
 * dated below that and comes later (a clock that was set back, a page that was loaded anew, the default of a migration)
 * is overlooked by the devices that have folded, and not by the others. So the server writes those objects anew, as a
 * whole, just after all that may be folded: there every device takes them in.
 */

/** The node id in the timestamps of what the server writes. */
const SERVER_NODE = '0server';

/** Whether the server wrote something at this time, in this or another epoch of the library. */
export const isOfServer = (timestamp: Timestamp): boolean => timestamp.endsWith(SERVER_NODE);

/** What the server adds to what a message brings. */
export interface Repairs {
  /** One for each object with late operations. */
  operations: AdmittedOperation[];
  /** The server order of the last one, or of the message's last operation. */
  order: ServerOrder;
  /** The head's, moved past the repairs. */
  horizon: Timestamp | null;
}

export interface RepairOptions {
  draft: Draft;
  /** What the message brings, and the server order of the last of it. */
  operations: readonly AdmittedOperation[];
  order: ServerOrder;
  /** The largest JSON text that can be stored, in bytes of UTF-8. */
  maxValueBytes: number;
}

/**
 * The objects that these operations come late for, each as a whole and with a time of its own, just after what devices may
 * have folded: clients acknowledge by time alone.
 */
export function repairLate({ draft, operations, order, maxValueBytes }: RepairOptions): Repairs {
  const { horizon } = draft.head;
  const repairs: Repairs = { operations: [], order, horizon };
  if (horizon === null) return repairs;
  if (operations.every(({ row }) => row.timestamp > horizon)) return repairs;
  for (const [oid, rows] of broughtByObject(operations)) {
    if (rows.every((row) => row.timestamp > horizon)) continue;
    const history = draft.history(oid);
    if (history === null) continue;
    const timestamp = timestampAfter(laterOf(repairs.horizon, horizon), SERVER_NODE);
    // What the message wrote in the same moment would be below the repair, too.
    const late = rows.filter((row) => row.timestamp <= timestamp);
    const object = repaired(history, late, timestamp);
    const [first] = late;
    if (object === null || !first) continue;
    const patch: Patch =
      object.state === undefined ? { op: 'delete' } : { op: 'initialize', value: object.state };
    const data = JSON.stringify(patch);
    // What cannot be stored as a whole can only stay as it is.
    if (data.length * 3 > maxValueBytes && new TextEncoder().encode(data).byteLength > maxValueBytes)
      continue;
    repairs.horizon = timestamp;
    const row: OperationRow = {
      order: ++repairs.order,
      replicaId: SERVER_REPLICA_ID,
      oid,
      timestamp,
      data,
      authz: object.state === undefined ? first.authz : object.authz,
    };
    repairs.operations.push({ row, patch });
  }
  return repairs;
}

/** What the world hears of repairs. `inReply`: whether their author finds them in the answer to its sync. */
export const heardOf = ({ operations, order }: Repairs, { inReply }: { inReply: boolean }): Effect[] =>
  operations.length > 0 ? [{ kind: 'repairs', operations, through: order, inReply }] : [];

/** The head after devices were sent everything that the library holds, and may have folded it. */
export const foldedByDevices = (head: Head): Head =>
  head.latest === null || (head.horizon !== null && head.latest <= head.horizon)
    ? head
    : { ...head, horizon: head.latest };

/** The latest time of what is stored, with these. */
export function latestOf(
  before: Timestamp | null,
  operations: readonly AdmittedOperation[],
  baselines: readonly BaselineRow[] = [],
): Timestamp | null {
  let latest = before;
  for (const { row } of operations) latest = laterOf(latest, row.timestamp);
  for (const { timestamp } of baselines) latest = laterOf(latest, timestamp);
  return latest;
}

function broughtByObject(operations: readonly AdmittedOperation[]): Map<Oid, OperationRow[]> {
  const brought = new Map<Oid, OperationRow[]>();
  for (const { row } of operations) {
    const rows = brought.get(row.oid);
    if (rows) rows.push(row);
    else brought.set(row.oid, [row]);
  }
  return brought;
}

/**
 * The object at the time of its repair, with what came late for it, in order of time. What is older than the object as it
 * was last written as a whole can only come just above that. Null: there is no object, and nothing that came late creates
 * one.
 */
function repaired(
  { baseline, operations }: ObjectHistory,
  late: readonly OperationRow[],
  at: Timestamp,
): ObjectNow | null {
  if (baseline === null && operations.length === 0 && !late.some(writesWhole)) return null;
  const known = operations.filter(({ timestamp }) => timestamp <= at);
  const whole = lastWrittenAsWhole(baseline, known);
  const isBelow = ({ timestamp }: OperationRow) => whole !== null && timestamp <= whole;
  const below = late.filter(isBelow).sort(byTime);
  const rows = [...afterBaseline(baseline, known), ...late.filter((row) => !isBelow(row))].sort(byTime);
  // An older version of the whole is what the newer one took the place of.
  const changes = below.filter((row) => !isZeroTimestamp(row.timestamp) && !writesWhole(row));
  const first = applyRows(objectOf(baseline), rows.filter(isBelow));
  const object = applyRows(
    applyRows(first, changes),
    rows.filter((row) => !isBelow(row)),
  );
  // The default of a migration stays below what people have written since.
  const defaults = below.filter(({ timestamp }) => isZeroTimestamp(timestamp));
  return { ...object, state: withDefaults(object.state, defaults) };
}

const writesWhole = ({ data }: OperationRow): boolean => (JSON.parse(data) as Patch).op === 'initialize';

/** When the object was last written as a whole; null: it was not, as far as is known. */
function lastWrittenAsWhole(
  baseline: BaselineRow | null,
  operations: readonly OperationRow[],
): Timestamp | null {
  let last = baseline?.timestamp ?? null;
  for (const row of operations) if (writesWhole(row)) last = laterOf(last, row.timestamp);
  return last;
}

/** What would be below all of it, could it still be told apart: a field that is there was written by somebody. */
function withDefaults(
  state: PlainObject | undefined,
  defaults: readonly OperationRow[],
): PlainObject | undefined {
  let after = state;
  for (const { data } of defaults) {
    const patch = JSON.parse(data) as Patch;
    const isMissing =
      patch.op === 'set' && after !== undefined && !Array.isArray(after) && !Object.hasOwn(after, patch.name);
    if (isMissing) after = applyPatch(after, patch);
  }
  return after;
}

const byTime = (a: OperationRow, b: OperationRow): number =>
  compareTimestamps(a.timestamp, b.timestamp) || a.order - b.order;
