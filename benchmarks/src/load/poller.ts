import { Agent, type IncomingMessage, request } from 'node:http';
import { createClock } from './clock.js';
import { signToken, type TokenContent, urlOf } from './token.js';

/** A replica that polls over HTTP, as client 3.6.3 does while its user is alone, and keeps nothing. */
export interface Poller {
  readonly id: string;
  poll(): Promise<PollAnswer>;
}

export interface PollAnswer {
  /** Operations and baselines. */
  brings: number;
  /** Two where the server wants its answer acknowledged, which the client does by a request of its own. */
  requests: number;
  /** Of the bodies. */
  bytes: number;
}

export interface PollerOptions extends TokenContent {
  /** It has polled before, and was told all there was. */
  known?: boolean;
  /** Each poll has a token that was not seen before. */
  freshTokens?: boolean;
  /** How many are kept open at most, by all pollers of this process together. */
  connections: number;
}

interface Answer {
  messages: {
    type: string;
    operations?: unknown[];
    baselines?: unknown[];
    ackThisNonce?: string;
  }[];
}

/** Its first poll brings an object: a library that it finds empty it founds. */
export async function createPoller(options: PollerOptions): Promise<Poller> {
  let token = await signToken(options);
  const replicaId = `replica-of-${options.user}`;
  const now = createClock();
  const agent = agentFor(options.connections);
  let since = options.known ? now() : null;

  const send = async (messages: object[]) => {
    const text = await post(urlOf(options.base), token, JSON.stringify({ messages }), agent);
    return { bytes: text.length, messages: (JSON.parse(text) as Answer).messages };
  };

  return {
    id: replicaId,
    async poll() {
      if (options.freshTokens) token = await signToken(options);
      const operations = since === null ? [firstOperation(options.user, now())] : [];
      const timestamp = now();
      const answer = await send([
        { type: 'presence-update', presence: {}, replicaId },
        {
          type: 'sync',
          schemaVersion: 1,
          timestamp,
          replicaId,
          resyncAll: since === null,
          operations,
          baselines: [],
          since,
        },
      ]);
      const reply = answer.messages.find(({ type }) => type === 'sync-resp');
      if (!reply)
        throw new Error(`${replicaId} asked for changes and got ${JSON.stringify(answer.messages)}`);
      since = timestamp;
      const brings = (reply.operations?.length ?? 0) + (reply.baselines?.length ?? 0);
      if (reply.ackThisNonce === undefined) return { brings, requests: 1, bytes: answer.bytes };
      const nonce = reply.ackThisNonce;
      const acked = await send([{ type: 'ack', timestamp: now(), replicaId, nonce }]);
      return { brings, requests: 2, bytes: answer.bytes + acked.bytes };
    },
  };
}

const firstOperation = (user: string, timestamp: string) => ({
  oid: `items/of-${user}`,
  timestamp,
  data: { op: 'initialize', value: { title: 'The first item', done: false } },
});

let agent: Agent | undefined;

/** One for this process. */
function agentFor(connections: number): Agent {
  agent ??= new Agent({ keepAlive: true, maxSockets: connections });
  return agent;
}

function post(url: string, token: string, body: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      Authorization: `Bearer ${token}`,
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`A poll was answered with ${response.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
