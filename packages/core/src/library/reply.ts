import type { AuthzKey, ReplicaId, Timestamp } from '@verdant-web/protocol';
import type { LibraryPresence } from '../presence/presence.js';
import type { OperationRow } from '../storage/rows.js';
import type { LibraryStorage } from '../storage/storage.js';
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
  /** Held while the rows are read, so that nothing is folded meanwhile. */
  pin: Pin;
  /** Filled with what is listed. */
  sent: SentReply | null;
}

/**
 * A `sync-resp` in pieces, each about a page of rows. What a connection may not see is left out here, the only way
 * by which stored rows reach a client other than the broadcast of new ones.
 */
export function replyPieces(reply: SyncReply, context: ReplyContext): AsyncIterable<string> {
  const pieces = readPieces(reply, context);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      // A generator that was never begun does not run its `finally`.
      return: () => {
        context.pin.release();
        return pieces.return(undefined);
      },
    }),
  };
}

async function* readPieces(reply: SyncReply, context: ReplyContext): AsyncGenerator<string> {
  const { storage, authz, pin, sent } = context;
  let last: Timestamp | null = null;
  try {
    yield openReply(reply, context);
    if (reply.overwriteLocalData) {
      let separator = '';
      for await (const page of storage.readBaselines()) {
        let piece = '';
        for (const row of page) {
          if (row.authz !== null && row.authz !== authz) continue;
          piece += separator + encodeBaseline(row);
          separator = ',';
        }
        pin.touch();
        if (piece !== '') yield piece;
      }
    }
    yield '],"operations":[';
    if (reply.from < reply.through) {
      let separator = '';
      for await (const page of storage.readOperations(reply.from, reply.through)) {
        let piece = '';
        for (const row of page) {
          if (row.authz !== null && row.authz !== authz) continue;
          if (row.replicaId === context.replicaId && reply.except.has(keyOf(row))) continue;
          piece += separator + encodeOperation(row);
          separator = ',';
          last = row.timestamp;
          if (sent) noteListed(sent.listed, row);
        }
        pin.touch();
        if (piece !== '') yield piece;
      }
    }
    if (sent) sent.last = last;
    yield ']}';
  } finally {
    pin.release();
  }
}

const openReply = (reply: SyncReply, { presence, globalAck }: ReplyContext): string => {
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

function noteListed(listed: SentReply['listed'], { timestamp, order }: OperationRow): void {
  listed.delete(timestamp);
  listed.set(timestamp, order);
  if (listed.size <= MAX_LISTED) return;
  for (const oldest of listed.keys()) {
    listed.delete(oldest);
    return;
  }
}
