import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import { signToken, urlOf } from './token.js';

/*
 * One replica that connects, syncs once, and goes. Its reply is not parsed, whose size would otherwise hold up the
 * process that measures.
 */

export type Transport = 'socket' | 'http';

export interface SingleSync {
  base: string;
  library: string;
  /** Whose the replica is. */
  user: string;
  /** Left out: the user's only one. */
  replica?: string;
  transport: Transport;
  /** The client's time of the sync. */
  timestamp: string;
  /** Left out: this is its first sync. */
  since?: string;
  /** The texts of its lists. Left out: it brings none. */
  baselines?: string;
  operations?: string;
}

/** Resolves with the reply. */
export function syncOnce(sync: SingleSync): Promise<Buffer> {
  return sync.transport === 'socket' ? overSocket(sync) : overHttp(sync);
}

async function overSocket(sync: SingleSync): Promise<Buffer> {
  const token = await signToken(sync);
  const socket = new WebSocket(urlOf(sync.base).replace(/^http/, 'ws'), ['Bearer', token], {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: 0,
  });
  try {
    await once(socket, 'open');
    const reply = new Promise<Buffer>((resolve, reject) => {
      socket.on('close', (code, reason) => reject(new Error(`The socket was closed: ${code} ${reason}`)));
      socket.on('message', (data: Buffer) => {
        if (isReply(data)) resolve(data);
      });
    });
    for (const message of messagesOf(sync)) socket.send(message);
    return await reply;
  } finally {
    socket.close();
  }
}

const agent = new Agent({ keepAlive: true });

async function overHttp(sync: SingleSync): Promise<Buffer> {
  const token = await signToken(sync);
  const body = Buffer.from(`{"messages":[${messagesOf(sync).join()}]}`);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  const asking = request(urlOf(sync.base), { method: 'POST', agent, headers }).end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const reply = Buffer.concat(pieces);
  if (response.statusCode !== 200)
    throw new Error(`A sync was answered with ${response.statusCode}: ${reply}`);
  return reply;
}

function messagesOf(sync: SingleSync): [presence: string, sync: string] {
  const { timestamp, since = null, baselines = '', operations = '' } = sync;
  const replicaId = sync.replica ?? `replica-of-${sync.user}`;
  const head = JSON.stringify({ type: 'sync', replicaId, timestamp, schemaVersion: 1, since });
  return [
    JSON.stringify({ type: 'presence-update', replicaId, presence: {}, internal: {} }),
    `${head.slice(0, -1)},"baselines":[${baselines}],"operations":[${operations}]}`,
  ];
}

/** The type is among the first things that a server writes. */
const isReply = (message: Buffer) => message.subarray(0, 200).includes('"sync-resp"');

/** How many objects and operations a reply lists. */
export function listedIn(reply: Buffer): { baselines: number; operations: number } {
  const count = (what: string) => {
    let found = 0;
    for (let at = reply.indexOf(what); at >= 0; at = reply.indexOf(what, at + 1)) found++;
    return found;
  };
  return { baselines: count('"snapshot":'), operations: count('"data":') };
}
