import {
  type AuthzKey,
  type Baseline,
  isRoot,
  type Oid,
  type Operation,
  type Patch,
  rootOf,
  type ServerOrder,
  type Timestamp,
  timestampMs,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import { filesUsedBy } from '../files/file-refs.js';
import type { AccessRow, BaselineRow, OperationRow, ReplicaRow } from '../storage/rows.js';
import { type AccessView, announcedKeys, decideAccess } from './access.js';
import type { Caller } from './connection.js';
import type { Draft } from './draft.js';

/** An operation that will be stored. */
export interface AdmittedOperation {
  row: OperationRow;
  patch: Patch;
}

/** What of a message's content may be stored. */
export interface Admission {
  operations: AdmittedOperation[];
  baselines: BaselineRow[];
  access: AccessRow[];
  usedFiles: string[];
  /** Operations and baselines that break an access rule. */
  refused: { oid: Oid; authz: AuthzKey | undefined }[];
  /** The highest timestamp that the author has stored an operation under. */
  writtenThrough: Timestamp | null;
  /** The server order of the last one. */
  order: ServerOrder;
}

export interface AdmissionOptions {
  draft: Draft;
  caller: Caller;
  /** The author's row. */
  replica: ReplicaRow;
  operations: readonly Operation[];
  baselines?: readonly Baseline[];
  /** Store what is stored already: it replaces everything. */
  replaces?: boolean;
  /** The largest JSON text that can be stored, in bytes of UTF-8. */
  maxValueBytes: number;
}

/**
 * Decide which operations and baselines of a message are stored, and give them their server order.
 * Baselines, where there are any, take one order together, before the operations.
 * Throws `VerdantError` (4130) where one is larger than can be stored.
 */
export function admit(options: AdmissionOptions): Admission {
  const { draft, caller, replica, operations, baselines = [], replaces = false, maxValueBytes } = options;
  const view = new MessageView(draft);
  const founding: Operation[] = baselines.map(({ oid, timestamp, snapshot, authz }) => ({
    oid,
    timestamp,
    data: { op: 'initialize', value: snapshot },
    ...(authz === undefined ? {} : { authz }),
  }));
  const announced = announcedKeys([...founding, ...operations], caller);
  const admission: Admission = {
    operations: [],
    baselines: [],
    access: [],
    usedFiles: [],
    refused: [],
    writtenThrough: replica.writtenThrough,
    order: draft.head.order,
  };

  founding.forEach((operation, index) => {
    const decision = decideAccess(operation, caller, view, announced.get(rootOf(operation.oid)) ?? null);
    if (!decision.allowed) {
      admission.refused.push({ oid: operation.oid, authz: operation.authz });
      return;
    }
    view.stored(operation, decision.authz, decision.row);
    admission.usedFiles.push(...filesUsedBy(operation.data));
    const { oid, snapshot, timestamp } = baselines[index]!;
    const text = storable(snapshot, maxValueBytes);
    admission.baselines.push({ oid, snapshot: text, timestamp, authz: decision.authz });
  });
  if (admission.baselines.length > 0) admission.order++;

  const seen = new Set<string>();
  for (const operation of operations) {
    const { oid, timestamp } = operation;
    const key = `${timestamp}\n${oid}`;
    if (seen.has(key) || (!replaces && draft.isStored(replica, oid, timestamp))) continue;
    seen.add(key);
    const decision = decideAccess(operation, caller, view, announced.get(rootOf(oid)) ?? null);
    if (!decision.allowed) {
      admission.refused.push({ oid, authz: operation.authz });
      continue;
    }
    view.stored(operation, decision.authz, decision.row);
    admission.usedFiles.push(...filesUsedBy(operation.data));
    admission.operations.push({
      row: {
        order: ++admission.order,
        replicaId: replica.id,
        oid,
        timestamp,
        data: storable(operation.data, maxValueBytes),
        authz: decision.authz,
      },
      patch: operation.data,
    });
    if (admission.writtenThrough === null || timestamp > admission.writtenThrough) {
      admission.writtenThrough = timestamp;
    }
  }
  admission.access = view.rows;
  return admission;
}

/** The JSON text of a value, where it can be stored. */
function storable(value: unknown, maxBytes: number): string {
  const text = JSON.stringify(value);
  // A UTF-16 unit has at most three bytes of UTF-8: nearly everything is decided by the length.
  if (text.length * 3 <= maxBytes || new TextEncoder().encode(text).byteLength <= maxBytes) return text;
  throw new VerdantError(
    VerdantErrorCode.TooLarge,
    `A value has more than the ${maxBytes} bytes that this server can store in one. Split it up, or keep it in a file.`,
  );
}

/** The draft as it is while one message is admitted: what precedes in the message counts already. */
class MessageView implements AccessView {
  readonly #draft: Draft;
  readonly #access = new Map<Oid, AccessRow>();
  readonly #public = new Map<Oid, boolean>();

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  access(root: Oid): AccessRow | null {
    return this.#access.get(root) ?? this.#draft.access(root);
  }

  isPublic(root: Oid): boolean {
    return this.#public.get(root) ?? this.#draft.isPublic(root);
  }

  stored({ oid, data }: Operation, authz: AuthzKey | null, row: AccessRow | null): void {
    if (row) this.#access.set(row.root, row);
    if (!isRoot(oid)) return;
    if (data.op === 'initialize') this.#public.set(oid, authz === null);
    else if (data.op === 'delete') this.#public.set(oid, false);
  }

  get rows(): AccessRow[] {
    return [...this.#access.values()];
  }
}

/**
 * Why a message's content is refused whole, or null: something in it is dated so far ahead of the server that every
 * client would choke on it, or is larger than can be stored.
 */
export function contentRefusal(
  { operations, baselines = [] }: { operations: readonly Operation[]; baselines?: readonly Baseline[] },
  bounds: { latestMs: number },
): VerdantError | null {
  for (const { timestamp } of [operations, baselines].flat()) {
    const ahead = timestampMs(timestamp) - bounds.latestMs;
    if (ahead > 0) {
      return new VerdantError(
        VerdantErrorCode.ClockAhead,
        `A change is dated ${Math.ceil(ahead / 1000)} s further ahead of the server's clock than is allowed. Set the device's clock; the change is kept there and will be offered again.`,
        { retryAfter: Math.min(3600, Math.ceil(ahead / 1000)) },
      );
    }
  }
  return null;
}
