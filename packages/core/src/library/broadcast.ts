import type { AuthzKey } from '@verdant-web/protocol';
import type { Connection, SocketConnection } from './connection.js';
import { sentOperation } from './delivery.js';
import type { Effect } from './effects.js';
import { encodeBaseline, encodeOperation, encodeRebroadcast } from './wire.js';

/** What others are told of. */
export type Changes = Omit<Extract<Effect, { kind: 'changes' }>, 'kind' | 'replaced'>;

/**
 * Tell every synced socket but the author's (null: the server is the author) of new operations, each of those that it may see.
 * What is public is encoded once, however many there are.
 */
export function broadcastChanges(
  changes: Changes,
  author: Connection | null,
  sockets: Iterable<SocketConnection>,
  /** Wall-clock ms. */
  now: number,
): void {
  const encode = encoderFor(changes);
  const sent = changes.operations.map(({ row }) => ({
    authz: row.authz,
    entry: sentOperation(row.order, row.timestamp),
  }));
  for (const socket of sockets) {
    if (!socket.synced) {
      // Its answer leaves what it just brought out.
      if (socket === author && changes.mayBeWiped) owe(socket, changes);
      continue;
    }
    const { authz, userId } = socket.caller;
    const isAuthors = socket.replicaId === changes.replicaId && userId === author?.caller.userId;
    if (socket !== author) {
      const text = encode(authz);
      if (text !== null) {
        socket.outbox.send(text);
        socket.expectAck();
      }
      // What the replica wrote itself, in another tab or over HTTP, it holds without saying so.
      if (!isAuthors) {
        if (changes.baselines.length > 0) {
          socket.delivery.sentBaselines(changes.through - changes.operations.length)(now);
        }
        for (const { authz: of, entry } of sent) {
          if (of === null || of === authz) socket.delivery.sent(entry);
        }
      }
    }
    if (changes.mayBeWiped && isAuthors) owe(socket, changes);
    socket.delivery.through = changes.through;
  }
}

function owe({ delivery }: SocketConnection, { operations }: Changes): void {
  for (const { row } of operations) delivery.owe(row);
}

/** The `op-re` for connections with a key; null where they may see nothing of it. */
function encoderFor({ replicaId, operations, baselines }: Changes): (authz: AuthzKey) => string | null {
  const keys = new Set<AuthzKey>();
  for (const { row } of operations) if (row.authz !== null) keys.add(row.authz);
  for (const row of baselines) if (row.authz !== null) keys.add(row.authz);
  const encoded = new Map<AuthzKey | null, string | null>();
  const make = (authz: AuthzKey | null): string | null => {
    const visibleOperations = operations.filter(({ row }) => row.authz === null || row.authz === authz);
    const visibleBaselines = baselines.filter((row) => row.authz === null || row.authz === authz);
    if (visibleOperations.length === 0 && visibleBaselines.length === 0) return null;
    return encodeRebroadcast(
      replicaId,
      visibleOperations.map(({ row }) => encodeOperation(row)),
      visibleBaselines.map(encodeBaseline),
    );
  };
  return (authz) => {
    const audience = keys.has(authz) ? authz : null;
    let text = encoded.get(audience);
    if (text === undefined) {
      text = make(audience);
      encoded.set(audience, text);
    }
    return text;
  };
}
