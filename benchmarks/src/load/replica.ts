import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createClock } from './clock.js';
import { signToken, urlOf } from './token.js';

export interface Message {
  type: string;
  timestamp?: string;
  ackThisNonce?: string;
  operations?: { oid: string; timestamp: string }[];
}

/** A replica that acknowledges what it is sent, as clients do, and keeps nothing. */
export interface Replica {
  readonly id: string;
  readonly now: () => string;
  send(message: Record<string, unknown>): void;
  onMessage: (message: Message, bytes: number) => void;
  /** From then on it is an error that the server closes its socket. */
  synced: boolean;
}

/** Connects and syncs; resolves when the server has answered. */
export async function connectReplica(base: string, library: string, user: string): Promise<Replica> {
  const id = `replica-of-${user}`;
  const token = await signToken({ base, library, user });
  const socket = new WebSocket(urlOf(base).replace(/^http/, 'ws'), ['Bearer', token], {
    perMessageDeflate: false,
  });
  const replica: Replica = {
    id,
    now: createClock(),
    send: (message) => socket.send(JSON.stringify({ replicaId: id, ...message })),
    onMessage: () => {},
    synced: false,
  };
  const synced = new Promise<void>((resolve, reject) => {
    socket.on('close', (code, reason) => {
      const failure = new Error(`The socket of ${user} was closed: ${code} ${reason}`);
      reject(failure);
      // Later on, nobody waits for that promise: who loses sockets must not pass for merely slow.
      if (replica.synced) throw failure;
    });
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const message = parse(String(data));
      if (message.type === 'sync-resp') resolve();
      const last = message.operations?.at(-1)?.timestamp ?? message.timestamp;
      if (message.ackThisNonce !== undefined) {
        replica.send({ type: 'ack', nonce: message.ackThisNonce, timestamp: last });
      } else if (message.type === 'op-re') replica.send({ type: 'ack', timestamp: last });
      replica.onMessage(message, data.length);
    });
  });
  await Promise.race([once(socket, 'open'), synced]);
  replica.send({ type: 'presence-update', presence: {}, internal: {} });
  replica.send({
    type: 'sync',
    timestamp: replica.now(),
    operations: [],
    baselines: [],
    schemaVersion: 1,
    since: null,
    resyncAll: true,
  });
  await synced;
  replica.synced = true;
  return replica;
}

/*
 * All sockets of a library are sent the same text. Each is parsed once in this process, or the load would need more of
 * the machine than the server does.
 */
const PARSED = 512;
const parsed = new Map<string, Message>();

function parse(text: string): Message {
  const known = parsed.get(text);
  if (known) return known;
  const message = JSON.parse(text) as Message;
  if (parsed.size >= PARSED) parsed.delete(parsed.keys().next().value!);
  parsed.set(text, message);
  return message;
}
