import { VerdantError, VerdantErrorCode } from './errors.js';
import type { AuthzKey, Oid, ReplicaId, Timestamp } from './ids.js';
import type { AckMessage, Baseline, ClientMessage, Operation, PresenceUpdateMessage } from './messages.js';
import { isOid } from './oid.js';
import type { Patch, PlainObject, PlainValue } from './patch.js';
import { type FileRef, isFileRef, isObjectRef, type ObjectRef } from './ref.js';
import { isTimestamp } from './timestamp.js';

/** How large the parts of a message may be. Lengths are in UTF-16 code units. */
export interface MessageLimits {
  maxOperationsPerMessage: number;
  maxBaselinesPerMessage: number;
  maxOidLength: number;
  /** Of a field's name in a `set` or `remove`, and of a `reason` or `nonce`. */
  maxNameLength: number;
  maxReplicaIdLength: number;
  /** Of an operation's or baseline's access key. */
  maxAuthzLength: number;
  /** Nesting of one value: 1 for an object or list of primitives, and so on. */
  maxValueDepth: number;
  /** Index of a `list-set`. Clients fill a list with holes up to it, however few items there are. */
  maxListIndex: number;
}

/**
 * Above what the founding sync of hundreds of thousands of objects needs: a client sends its whole history in one
 * message. What bounds memory is the transport's limit on the bytes of a message.
 */
export const defaultMessageLimits: Readonly<MessageLimits> = {
  maxOperationsPerMessage: 2_000_000,
  maxBaselinesPerMessage: 2_000_000,
  maxOidLength: 1024,
  maxNameLength: 1024,
  maxReplicaIdLength: 256,
  maxAuthzLength: 4096,
  maxValueDepth: 64,
  maxListIndex: 1_000_000,
};

/**
 * Checks a parsed message and copies the fields that are known; others may come from a newer client. Values are
 * not copied but handed on.
 *
 * @param value what `JSON.parse` made of the message
 * @returns null for a message of an unknown type, which a newer client may send: ignore it
 * @throws VerdantError `InvalidRequest`, naming the field, what was expected and the type of what came
 */
export function parseClientMessage(value: unknown, limits: MessageLimits): ClientMessage | null {
  const message = record(value, 'message');
  switch (message.type) {
    case 'op':
      return {
        type: 'op',
        replicaId: replicaId(message, limits),
        timestamp: timestamp(message.timestamp, 'timestamp'),
        operations: operations(message.operations, limits),
      };
    case 'sync':
      return {
        type: 'sync',
        replicaId: replicaId(message, limits),
        timestamp: timestamp(message.timestamp, 'timestamp'),
        operations: operations(message.operations, limits),
        baselines: baselines(message.baselines, limits),
        schemaVersion: schemaVersion(message.schemaVersion),
        resyncAll: optionalBoolean(message.resyncAll, 'resyncAll'),
        since: message.since == null ? null : timestamp(message.since, 'since'),
      };
    case 'ack':
      return ack(message, limits);
    case 'presence-update':
      return presenceUpdate(message, limits);
    case 'heartbeat':
      return { type: 'heartbeat' };
    case 'sync-ack':
      return { type: 'sync-ack', replicaId: replicaId(message, limits) };
    case 'disconnecting': {
      const leaving: ClientMessage = { type: 'disconnecting', replicaId: replicaId(message, limits) };
      if (message.reason != null) leaving.reason = text(message.reason, 'reason', limits.maxNameLength);
      return leaving;
    }
    default:
      if (typeof message.type !== 'string') throw invalid('type', 'a string', message.type);
      return null;
  }
}

/**
 * `JSON.parse` for what a stranger sent. Depth is measured on the text, so that no later walk over the value can
 * overflow the stack.
 *
 * @param maxDepth how deep objects and lists may be nested; 1 is a list of primitives
 * @throws VerdantError `InvalidRequest` where the text is no JSON or nested too deep
 */
export function parseJson(text: string, maxDepth: number): unknown {
  if (isDeeperThan(text, maxDepth)) {
    throw new VerdantError(VerdantErrorCode.InvalidRequest, `JSON is nested deeper than ${maxDepth} levels`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes the text, which must not reach a log.
    throw new VerdantError(VerdantErrorCode.InvalidRequest, 'not valid JSON');
  }
}

type Fields = { readonly [name: string]: unknown };

function ack(message: Fields, limits: MessageLimits): AckMessage {
  const parsed: AckMessage = { type: 'ack', replicaId: replicaId(message, limits) };
  if (message.nonce != null) parsed.nonce = text(message.nonce, 'nonce', limits.maxNameLength);
  if (message.timestamp != null || parsed.nonce === undefined) {
    parsed.timestamp = timestamp(message.timestamp, 'timestamp');
  }
  return parsed;
}

function presenceUpdate(message: Fields, limits: MessageLimits): PresenceUpdateMessage {
  const parsed: PresenceUpdateMessage = { type: 'presence-update', replicaId: replicaId(message, limits) };
  if (message.presence !== undefined) {
    parsed.presence = shallowEnough(message.presence, 'presence', limits.maxValueDepth);
  }
  if (message.internal !== undefined) {
    parsed.internal = shallowEnough(message.internal, 'internal', limits.maxValueDepth);
  }
  return parsed;
}

function operations(value: unknown, limits: MessageLimits): Operation[] {
  return each(value, 'operations', limits.maxOperationsPerMessage, (item) => operation(item, limits));
}

function baselines(value: unknown, limits: MessageLimits): Baseline[] {
  const parsed = each(value, 'baselines', limits.maxBaselinesPerMessage, (item) => baseline(item, limits));
  // One without a snapshot says what a missing one says: that there is no object.
  return parsed.filter((item) => item !== null);
}

/** Parses each item of a list; what is wrong with one is told with its place in the list. */
function each<T>(value: unknown, name: string, maxLength: number, parse: (item: unknown) => T): T[] {
  const list = listOf(value, name);
  if (list.length > maxLength) throw invalid(name, `at most ${maxLength} items`, list);
  const parsed: T[] = [];
  let i = 0;
  try {
    for (; i < list.length; i++) parsed.push(parse(list[i]));
  } catch (error) {
    if (!(error instanceof VerdantError)) throw error;
    throw new VerdantError(error.code, `${name}[${i}].${error.message}`);
  }
  return parsed;
}

function operation(value: unknown, limits: MessageLimits): Operation {
  const fields = record(value, 'operation');
  const parsed: Operation = {
    oid: oid(fields.oid, limits),
    timestamp: timestamp(fields.timestamp, 'timestamp'),
    data: patch(record(fields.data, 'data'), limits),
  };
  if (fields.authz != null) parsed.authz = authz(fields.authz, limits);
  return parsed;
}

function baseline(value: unknown, limits: MessageLimits): Baseline | null {
  const fields = record(value, 'baseline');
  const parsed: Partial<Baseline> = { oid: oid(fields.oid, limits) };
  if (fields.snapshot != null) parsed.snapshot = objectOrList(fields.snapshot, 'snapshot', limits);
  parsed.timestamp = timestamp(fields.timestamp, 'timestamp');
  if (fields.authz != null) parsed.authz = authz(fields.authz, limits);
  return parsed.snapshot === undefined ? null : (parsed as Baseline);
}

function patch(data: Fields, limits: MessageLimits): Patch {
  switch (data.op) {
    case 'initialize':
      return { op: 'initialize', value: objectOrList(data.value, 'data.value', limits) };
    case 'set':
      return withValue({ op: 'set', name: fieldName(data.name, limits) }, data.value, limits);
    case 'remove':
      return { op: 'remove', name: fieldName(data.name, limits) };
    case 'list-set':
      return withValue({ op: 'list-set', index: settableIndex(data.index, limits) }, data.value, limits);
    case 'list-push':
      return withValue({ op: 'list-push' }, data.value, limits);
    case 'list-insert':
      return listInsert(data, limits);
    case 'list-delete':
      return {
        op: 'list-delete',
        index: integer(data.index, 'data.index'),
        count: integer(data.count, 'data.count'),
      };
    case 'list-move-by-index':
      return {
        op: 'list-move-by-index',
        from: integer(data.from, 'data.from'),
        to: integer(data.to, 'data.to'),
      };
    case 'list-move-by-ref':
      return { op: 'list-move-by-ref', value: ref(data.value), index: integer(data.index, 'data.index') };
    case 'list-remove': {
      const parsed: Patch = withValue({ op: 'list-remove' }, data.value, limits);
      if (data.only === 'first' || data.only === 'last') parsed.only = data.only;
      else if (data.only != null) throw invalid('data.only', "'first' or 'last'", data.only);
      return parsed;
    }
    case 'list-add':
      return withValue({ op: 'list-add' }, data.value, limits);
    case 'delete':
      return { op: 'delete' };
    case 'touch':
      return { op: 'touch' };
    default:
      throw invalid('data.op', 'a known patch operation', data.op);
  }
}

function listInsert(data: Fields, limits: MessageLimits): Patch {
  const index = integer(data.index, 'data.index');
  // Clients take `values` where both are given and `value` is falsy; then only what counts is kept.
  if (data.values != null && !data.value) {
    const values = listOf(data.values, 'data.values');
    for (const item of values) shallowEnough(item, 'data.values', limits.maxValueDepth);
    return { op: 'list-insert', index, values: values as PlainValue[] };
  }
  if (data.value === undefined) throw invalid('data', 'value or values', undefined);
  return { op: 'list-insert', index, value: plainValue(data.value, limits) };
}

/** Adds `value`, unless the client had `undefined` there, which JSON leaves out. */
function withValue<T extends { op: string; value?: PlainValue }>(
  patch: T,
  value: unknown,
  limits: MessageLimits,
): T {
  if (value !== undefined) patch.value = plainValue(value, limits);
  return patch;
}

const plainValue = (value: unknown, limits: MessageLimits): PlainValue =>
  (typeof value === 'object'
    ? shallowEnough(value, 'data.value', limits.maxValueDepth)
    : value) as PlainValue;

function objectOrList(value: unknown, name: string, limits: MessageLimits): PlainObject {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object or a list', value);
  return shallowEnough(value, name, limits.maxValueDepth) as PlainObject;
}

function ref(value: unknown): ObjectRef | FileRef {
  if (!isObjectRef(value) && !isFileRef(value)) throw invalid('data.value', 'a reference', value);
  return value;
}

function fieldName(value: unknown, limits: MessageLimits): string | number {
  if (typeof value === 'number') return settableIndex(value, limits, 'data.name');
  return text(value, 'data.name', limits.maxNameLength);
}

function settableIndex(value: unknown, limits: MessageLimits, name = 'data.index'): number {
  const index = integer(value, name);
  if (index > limits.maxListIndex) throw invalid(name, `at most ${limits.maxListIndex}`, value);
  return index;
}

function oid(value: unknown, limits: MessageLimits): Oid {
  if (isOid(value, limits.maxOidLength)) return value;
  throw invalid('oid', `an object id of at most ${limits.maxOidLength} characters`, value);
}

function timestamp(value: unknown, name: string): Timestamp {
  if (isTimestamp(value)) return value;
  throw invalid(name, 'a timestamp of 24 characters', value);
}

const authz = (value: unknown, limits: MessageLimits): AuthzKey =>
  text(value, 'authz', limits.maxAuthzLength) as AuthzKey;

function replicaId(message: Fields, limits: MessageLimits): ReplicaId {
  const id = text(message.replicaId, 'replicaId', limits.maxReplicaIdLength);
  if (id === '') throw invalid('replicaId', 'a string that is not empty', id);
  return id as ReplicaId;
}

function schemaVersion(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalid('schemaVersion', 'a number', value);
}

function optionalBoolean(value: unknown, name: string): boolean {
  if (value == null) return false;
  if (typeof value === 'boolean') return value;
  throw invalid(name, 'a boolean', value);
}

function integer(value: unknown, name: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw invalid(name, 'a whole number', value);
}

function text(value: unknown, name: string, maxLength: number): string {
  if (typeof value === 'string' && value.length <= maxLength) return value;
  throw invalid(name, `a string of at most ${maxLength} characters`, value);
}

function record(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(name, 'an object', value);
}

function listOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(name, 'a list', value);
}

/** The value itself, if it is nested no deeper than `maxDepth`. */
function shallowEnough(value: unknown, name: string, maxDepth: number): unknown {
  if (isNestedDeeper(value, maxDepth)) {
    throw new VerdantError(
      VerdantErrorCode.InvalidRequest,
      `${name}: expected at most ${maxDepth} levels of nesting, got more`,
    );
  }
  return value;
}

/** Goes no deeper than `maxDepth` itself, so it cannot overflow the stack. */
function isNestedDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (maxDepth === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && isNestedDeeper(item, maxDepth - 1)) return true;
    }
    return false;
  }
  for (const key in value) {
    const item = (value as Fields)[key];
    if (typeof item === 'object' && isNestedDeeper(item, maxDepth - 1)) return true;
  }
  return false;
}

const quote = 34;
const backslash = 92;

function isDeeperThan(json: string, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === quote) {
      i = endOfString(json, i);
      if (i === -1) return false;
    } else if (code === 91 || code === 123) {
      if (++depth > maxDepth) return true;
    } else if (code === 93 || code === 125) {
      depth--;
    }
  }
  return false;
}

/** Position of the quote that closes the string opened at `start`, or -1. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}

/** Tells the field, what was expected, and the type of what came: never the content. */
function invalid(name: string, expected: string, came: unknown): VerdantError {
  return new VerdantError(
    VerdantErrorCode.InvalidRequest,
    `${name}: expected ${expected}, got ${kindOf(came)}`,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
