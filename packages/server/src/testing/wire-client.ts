import { createRequire } from 'node:module';
import { expect } from 'vitest';

/** `ws` is a dependency of the neighbour package; this one has no other use for it. */
const { WebSocket } = createRequire(new URL('../../../node/package.json', import.meta.url))('ws') as {
  WebSocket: new (
    url: string,
    protocols: string[],
  ) => {
    on(event: string, listener: (data: unknown) => void): void;
    send(text: string): void;
    close(): void;
  };
};

export interface WireMessage {
  type: string;
  operations?: { oid: string; timestamp: string; data: unknown }[];
  overwriteLocalData?: boolean;
}

let counter = 0;
/** A client's timestamp: schema version, time, counter, node. */
export const timestamp = (): string =>
  `0001${Date.now().toString(36).padStart(9, '0')}${(counter++).toString(36).padStart(4, '0')}testing`;

export const initialize = (oid: string, value: unknown) => ({
  oid,
  timestamp: timestamp(),
  data: { op: 'initialize', value },
});

export const sync = (replicaId: string, operations: unknown[] = [], since: string | null = null) => ({
  type: 'sync',
  replicaId,
  timestamp: timestamp(),
  operations,
  baselines: [],
  schemaVersion: 1,
  since,
  resyncAll: since === null,
});

export const fetchToken = async (authUrl: string): Promise<string> => {
  const response = await fetch(authUrl);
  expect(response.status).toBe(200);
  return ((await response.json()) as { accessToken: string }).accessToken;
};

/** What a client learns from its token: where to sync. */
export const endpointOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { url: string }).url;

export const postSync = async (token: string, messages: unknown[]): Promise<WireMessage[]> => {
  const response = await fetch(endpointOf(token), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ messages }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { messages: WireMessage[] }).messages;
};

/** A socket as the client opens it. */
export const openSocket = async (token: string) => {
  const socket = new WebSocket(endpointOf(token).replace(/^http/, 'ws'), ['Bearer', token]);
  const messages: WireMessage[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => resolve());
    socket.on('error', reject);
  });
  return {
    messages,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    /** The first message of that type. */
    got: async (type: string): Promise<WireMessage> => {
      await expect.poll(() => messages.map((message) => message.type), { timeout: 5_000 }).toContain(type);
      return messages.find((message) => message.type === type)!;
    },
    close: () => socket.close(),
  };
};
