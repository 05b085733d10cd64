import { type Fields, invalid, listOf, objectOrList, record, shallowEnough, text } from './checks.js';
import { VerdantError } from './errors.js';
import { type AuthzKey, type Oid, type ReplicaId, SERVER_REPLICA_ID, type Timestamp } from './ids.js';
import type { MessageLimits } from './limits.js';
import type { ListInText } from './long-json.js';
import type { AckMessage, Baseline, ClientMessage, Operation, PresenceUpdateMessage } from './messages.js';
import { isOid } from './oid.js';
import { isTimestamp } from './timestamp.js';
import { parsePatch } from './validate-patch.js';

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
 * Checks the operations of a list that was left in its text, one after the other, as {@link parseClientMessage} does.
 *
 * @throws VerdantError `InvalidRequest`, at the first that is wrong
 */
export const operationsIn = (list: ListInText, limits: MessageLimits): Generator<Operation> =>
  eachIn(list, 'operations', limits, limits.maxOperationsPerMessage, (item) => operation(item, limits));

/** Checks the baselines of a list that was left in its text. See {@link operationsIn}. */
export function* baselinesIn(list: ListInText, limits: MessageLimits): Generator<Baseline> {
  const parse = (item: unknown) => baseline(item, limits);
  for (const item of eachIn(list, 'baselines', limits, limits.maxBaselinesPerMessage, parse)) {
    if (item !== null) yield item;
  }
}

function* eachIn<T>(
  list: ListInText,
  name: string,
  limits: MessageLimits,
  maxLength: number,
  parse: (item: unknown) => T,
): Generator<T> {
  if (list.length > maxLength) throw invalid(name, `at most ${maxLength} items`, list);
  for (let i = 0; i < list.length; i++) {
    let item: T;
    try {
      item = parse(list.item(i, limits.maxValueDepth + ITEM_DEPTH));
    } catch (error) {
      throw placed(error, name, i);
    }
    yield item;
  }
}

/** An operation and its patch around a value, and a level more than that, so that the value is what is found too deep. */
const ITEM_DEPTH = 6;

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
    throw placed(error, name, i);
  }
  return parsed;
}

function placed(error: unknown, name: string, index: number): unknown {
  if (!(error instanceof VerdantError)) return error;
  return new VerdantError(error.code, `${name}[${index}].${error.message}`);
}

function operation(value: unknown, limits: MessageLimits): Operation {
  const fields = record(value, 'operation');
  const parsed: Operation = {
    oid: oid(fields.oid, limits),
    timestamp: timestamp(fields.timestamp, 'timestamp'),
    data: parsePatch(record(fields.data, 'data'), limits),
  };
  if (fields.authz != null && fields.authz !== '') parsed.authz = authz(fields.authz, limits);
  return parsed;
}

function baseline(value: unknown, limits: MessageLimits): Baseline | null {
  const fields = record(value, 'baseline');
  const parsed: Partial<Baseline> = { oid: oid(fields.oid, limits) };
  if (fields.snapshot != null)
    parsed.snapshot = objectOrList(fields.snapshot, 'snapshot', limits.maxValueDepth);
  parsed.timestamp = timestamp(fields.timestamp, 'timestamp');
  if (fields.authz != null && fields.authz !== '') parsed.authz = authz(fields.authz, limits);
  return parsed.snapshot === undefined ? null : (parsed as Baseline);
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
  if (id === SERVER_REPLICA_ID) throw invalid('replicaId', `any string but '${SERVER_REPLICA_ID}'`, id);
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
