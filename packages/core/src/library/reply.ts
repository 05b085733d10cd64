import type { AuthzKey, ReplicaId, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { LongWork } from '../long-work.js';
import type { LibraryPresence } from '../presence/presence.js';
import type { BaselineText, LibraryStorage, OperationText } from '../storage/storage.js';
import { childrenFirst } from './children-first.js';
import type { SentReply } from './delivery.js';
import type { SyncReply } from './effects.js';
import { keyOf } from './facts.js';
import type { Pin } from './pin.js';
import { encodeBaseline, encodeOperation } from './wire.js';

export interface ReplyContext {
  storage: LibraryStorage;
  replicaId: ReplicaId;
  /** The key of what the caller may see besides public documents. */
  authz: AuthzKey;
  presence: LibraryPresence;
  globalAck: Timestamp | null;
  /** Between pages others have theirs. */
  turns: LongWork;
  /** Held while the rows are read, so that nothing is folded meanwhile. */
  pin: Pin;
  /** Filled with what is listed. */
  sent: SentReply | null;
}

/**
 * A `sync-resp` in pieces, each about a page of rows. What a connection may not see is left out here and in
 * {@link foundingPieces}, the only ways by which stored rows reach a client other than the broadcast of new ones.
 */
export function replyPieces(reply: SyncReply, context: ReplyContext): AsyncIterable<string> {
  return releasing(context.pin, replyParts(reply, context));
}

/** The whole of a `sync-resp` that lists nothing, as most polls are answered; null: there are rows to read. */
export function emptyReply(
  reply: SyncReply,
  context: Pick<ReplyContext, 'presence' | 'globalAck'>,
): string | null {
  if (reply.overwriteLocalData || reply.from < reply.through) return null;
  return `${openReply(reply, context)}],"operations":[]}`;
}

interface FoundingReply {
  replicaId: ReplicaId;
  /** The server order of the last operation. */
  through: ServerOrder;
  /** Called when all of it has left. */
  left(): void;
}

/** The `op-re` of all that a library was founded with, in pieces. */
export function foundingPieces(
  founding: FoundingReply,
  context: Pick<ReplyContext, 'storage' | 'authz' | 'turns' | 'pin'>,
): AsyncIterable<string> {
  return releasing(context.pin, foundingParts(founding, context));
}

async function* replyParts(reply: SyncReply, context: ReplyContext): AsyncGenerator<string> {
  const { storage, sent } = context;
  let last: Timestamp | null = null;
  const isListed = (operation: OperationText) =>
    !(operation.replicaId === context.replicaId && reply.except.has(keyOf(operation)));
  yield openReply(reply, context);
  if (reply.overwriteLocalData) yield* joined(childrenFirst(baselineTexts(storage)), context);
  yield '],"operations":[';
  if (reply.from < reply.through) {
    yield* joined(operationTexts(storage, reply.from, reply.through), context, (operation) => {
      if (!isListed(operation)) return false;
      last = operation.timestamp;
      if (sent) noteListed(sent.listed, operation);
      return true;
    });
  }
  if (sent) sent.last = last;
  yield ']}';
}

async function* foundingParts(
  { replicaId, through, left }: FoundingReply,
  context: Pick<ReplyContext, 'storage' | 'authz' | 'turns' | 'pin'>,
): AsyncGenerator<string> {
  const { storage } = context;
  yield `{"type":"op-re","replicaId":${JSON.stringify(replicaId)},"baselines":[`;
  yield* joined(childrenFirst(baselineTexts(storage)), context);
  yield '],"operations":[';
  yield* joined(operationTexts(storage, 0, through), context);
  yield ']}';
  left();
}

/** The baselines as they go over the wire: as the storage builds them, or made of its rows. */
const baselineTexts = (storage: LibraryStorage): AsyncIterable<BaselineText[]> =>
  storage.readBaselineTexts?.() ??
  eachRow(storage.readBaselines(), (row) => ({
    oid: row.oid,
    authz: row.authz,
    text: encodeBaseline(row),
  }));

/** The operations, in the same way. */
const operationTexts = (
  storage: LibraryStorage,
  after: ServerOrder,
  through: ServerOrder,
): AsyncIterable<OperationText[]> =>
  storage.readOperationTexts?.(after, through) ??
  eachRow(storage.readOperations(after, through), (row) => ({
    order: row.order,
    replicaId: row.replicaId,
    oid: row.oid,
    timestamp: row.timestamp,
    authz: row.authz,
    text: encodeOperation(row),
  }));

async function* eachRow<Row, Text>(
  pages: AsyncIterable<Row[]>,
  encode: (row: Row) => Text,
): AsyncGenerator<Text[]> {
  for await (const page of pages) yield page.map(encode);
}

/** Of each page those that the caller may see, and `isListed` lets pass, as one text with commas between. */
async function* joined<Text extends { authz: AuthzKey | null; text: string }>(
  pages: AsyncIterable<Text[]>,
  { authz, turns, pin }: Pick<ReplyContext, 'authz' | 'turns' | 'pin'>,
  isListed: (text: Text) => boolean = () => true,
): AsyncGenerator<string> {
  let separator = '';
  let isFirst = true;
  for await (const page of pages) {
    // A socket may take all that it is given at once: the network would not be looked at before the end.
    if (!isFirst) await turns.next();
    isFirst = false;
    let piece = '';
    for (const text of page) {
      if ((text.authz !== null && text.authz !== authz) || !isListed(text)) continue;
      piece += separator + text.text;
      separator = ',';
    }
    pin.touch();
    if (piece !== '') yield piece;
  }
}

/** The parts, and the pin let go when they have been read or are given up. */
function releasing(pin: Pin, parts: AsyncGenerator<string>): AsyncIterable<string> {
  const pieces = (async function* () {
    try {
      yield* parts;
    } finally {
      pin.release();
    }
  })();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      // A generator that was never begun does not run its `finally`.
      return: () => {
        pin.release();
        return pieces.return(undefined);
      },
    }),
  };
}

const openReply = (
  reply: SyncReply,
  { presence, globalAck }: Pick<ReplyContext, 'presence' | 'globalAck'>,
): string => {
  const { overwriteLocalData, ackedTimestamp } = reply;
  const head = JSON.stringify({
    type: 'sync-resp',
    overwriteLocalData,
    ackedTimestamp,
    ...(globalAck === null ? {} : { globalAckTimestamp: globalAck }),
    peerPresence: presence,
  });
  return `${head.slice(0, -1)},"baselines":[`;
};

const MAX_LISTED = 1_000;

function noteListed(listed: SentReply['listed'], { timestamp, order }: OperationText): void {
  listed.delete(timestamp);
  listed.set(timestamp, order);
  if (listed.size <= MAX_LISTED) return;
  for (const oldest of listed.keys()) {
    listed.delete(oldest);
    return;
  }
}
