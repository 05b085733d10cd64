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
import { type AccessView, announce, decideAccess } from './access.js';
import type { Caller } from './connection.js';
import type { Draft } from './draft.js';
import { fits } from './fits.js';
import { FewSeenKeys, type SeenKeys } from './seen-keys.js';

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
  const announced = new Map<Oid, AuthzKey>();
  for (const operation of foundedBy(baselines)) announce(announced, operation, caller);
  for (const operation of operations) announce(announced, operation, caller);

  const grantsAccess =
    operations.some(({ authz }) => authz !== undefined) || baselines.some(({ authz }) => authz !== undefined);
  const seen = new FewSeenKeys();
  const admitter = new Admitter({
    draft,
    caller,
    replica,
    replaces,
    maxValueBytes,
    announced,
    grantsAccess,
    seen,
  });
  const baselineRows: BaselineRow[] = [];
  for (const baseline of baselines) {
    const row = admitter.baseline(baseline);
    if (row !== null) baselineRows.push(row);
  }
  const admitted: AdmittedOperation[] = [];
  for (const operation of operations) {
    const one = admitter.operation(operation);
    if (one !== null) admitted.push(one);
  }
  const { access, usedFiles, refused, writtenThrough, order } = admitter.summary;
  return { operations: admitted, baselines: baselineRows, access, usedFiles, refused, writtenThrough, order };
}

export interface AdmitterOptions extends Omit<AdmissionOptions, 'operations' | 'baselines'> {
  /** The keys under which the message creates documents. See {@link announce}. */
  announced: ReadonlyMap<Oid, AuthzKey>;
  /** What of the message came before, by {@link contentKeyOf}. */
  seen: SeenKeys;
  /** Whether anything in the message has a key at all: otherwise nothing can become private. */
  grantsAccess: boolean;
}

/** Admits what a message brings, one by one: its baselines, then its operations. See {@link admit}. */
export class Admitter {
  readonly #options: AdmitterOptions;
  readonly #view: MessageView;
  readonly #usedFiles = new Set<string>();
  readonly #refused: Admission['refused'] = [];
  #writtenThrough: Timestamp | null;
  #order: ServerOrder;
  #hasBaselines = false;

  constructor(options: AdmitterOptions) {
    this.#options = options;
    this.#view = new MessageView(options);
    this.#writtenThrough = options.replica.writtenThrough;
    this.#order = options.draft.head.order;
  }

  /** The row to store; null: an access rule forbids it. */
  baseline(baseline: Baseline): BaselineRow | null {
    const operation = founds(baseline);
    const authz = this.#access(operation);
    if (authz === undefined) return null;
    if (!this.#hasBaselines) this.#order++;
    this.#hasBaselines = true;
    const { oid, snapshot, timestamp } = baseline;
    return { oid, snapshot: storable(snapshot, this.#options.maxValueBytes), timestamp, authz };
  }

  /** What to store; null: it is stored already, or an access rule forbids it. */
  operation(operation: Operation): AdmittedOperation | null {
    const { draft, replica, replaces = false, maxValueBytes, seen } = this.#options;
    const { oid, timestamp, data: patch } = operation;
    if (!seen.add(contentKeyOf(operation))) return null;
    if (!replaces && (draft.isStored(replica, oid, timestamp) || draft.isRepair(oid, timestamp))) return null;
    const authz = this.#access(operation);
    if (authz === undefined) return null;
    if (this.#writtenThrough === null || timestamp > this.#writtenThrough) this.#writtenThrough = timestamp;
    const data = storable(patch, maxValueBytes);
    return { row: { order: ++this.#order, replicaId: replica.id, oid, timestamp, data, authz }, patch };
  }

  /** What has been admitted so far, but for the rows. */
  get summary(): Omit<Admission, 'operations' | 'baselines'> {
    return {
      access: this.#view.rows,
      usedFiles: [...this.#usedFiles],
      refused: this.#refused,
      writtenThrough: this.#writtenThrough,
      order: this.#order,
    };
  }

  /** The key under which it is stored, null for a public one; undefined: it is refused. */
  #access(operation: Operation): AuthzKey | null | undefined {
    const { caller, announced } = this.#options;
    const { oid, authz } = operation;
    const decision = decideAccess(operation, caller, this.#view, announced.get(rootOf(oid)) ?? null);
    if (!decision.allowed) {
      this.#refused.push({ oid, authz });
      return undefined;
    }
    this.#view.stored(operation, decision.authz, decision.row);
    for (const file of filesUsedBy(operation.data)) this.#usedFiles.add(file);
    return decision.authz;
  }
}

/** What makes two operations of one message the same. */
export const contentKeyOf = ({ oid, timestamp }: Operation): string => `${timestamp}\n${oid}`;

/** Access to a baseline is decided as to the operation that creates the object. */
const founds = ({ oid, timestamp, snapshot, authz }: Baseline): Operation => ({
  oid,
  timestamp,
  data: { op: 'initialize', value: snapshot },
  ...(authz === undefined ? {} : { authz }),
});

/** The operations that would create what these baselines hold. */
export function* foundedBy(baselines: Iterable<Baseline>): Generator<Operation> {
  for (const baseline of baselines) yield founds(baseline);
}

/** The JSON text of a value, where it can be stored. */
function storable(value: unknown, maxBytes: number): string {
  const text = JSON.stringify(value);
  if (fits(text, maxBytes)) return text;
  throw new VerdantError(
    VerdantErrorCode.TooLarge,
    `A value has more than the ${maxBytes} bytes that this server can store in one. Split it up, or keep it in a file.`,
  );
}

/** The draft as it is while one message is admitted: what precedes in the message counts already. */
class MessageView implements AccessView {
  readonly isAlone: boolean;
  readonly #draft: Draft;
  readonly #grantsAccess: boolean;
  readonly #access = new Map<Oid, AccessRow>();
  readonly #public = new Map<Oid, boolean>();

  constructor({ draft, grantsAccess, replica }: AdmitterOptions) {
    this.isAlone = !draft.head.founded || draft.head.soleAuthor === replica.id;
    this.#draft = draft;
    this.#grantsAccess = grantsAccess;
  }

  access(root: Oid): AccessRow | null {
    return this.#access.get(root) ?? this.#draft.access(root);
  }

  isPublic(root: Oid): boolean {
    return this.#public.get(root) ?? this.#draft.isPublic(root);
  }

  stored({ oid, data }: Operation, authz: AuthzKey | null, row: AccessRow | null): void {
    if (row) this.#access.set(row.root, row);
    // Only asked of where something is granted; for a whole history it would be a name for each document.
    if (!this.#grantsAccess || !isRoot(oid)) return;
    if (data.op === 'initialize') this.#public.set(oid, authz === null);
    else if (data.op === 'delete') this.#public.set(oid, false);
  }

  get rows(): AccessRow[] {
    return [...this.#access.values()];
  }
}

/**
 * Why a message's content is refused whole, or null: something in it is dated so far ahead of the server that every
 * client would choke on it.
 */
export function contentRefusal(
  { operations, baselines = [] }: { operations: readonly Operation[]; baselines?: readonly Baseline[] },
  bounds: { latestMs: number },
): VerdantError | null {
  for (const content of [operations, baselines]) {
    for (const { timestamp } of content) {
      const error = clockRefusal(timestamp, bounds);
      if (error) return error;
    }
  }
  return null;
}

/** Why a message that brings something of this time is refused whole, or null. */
export function clockRefusal(timestamp: Timestamp, { latestMs }: { latestMs: number }): VerdantError | null {
  const ahead = timestampMs(timestamp) - latestMs;
  if (ahead <= 0) return null;
  return new VerdantError(
    VerdantErrorCode.ClockAhead,
    `A change is dated ${Math.ceil(ahead / 1000)} s further ahead of the server's clock than is allowed. Set the device's clock; the change is kept there and will be offered again.`,
    { retryAfter: Math.min(3600, Math.ceil(ahead / 1000)) },
  );
}
