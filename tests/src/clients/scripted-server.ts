import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { waitFor } from '../until.js';
import type { WireMessage } from './wire-log.js';

export type Reply = Record<string, unknown> & { type: string };

/** An HTTP answer that is no list of replies. */
export interface Refusal {
  status: number;
  body?: unknown;
  afterMs?: number;
}

/** A server that knows no protocol: it says what a test tells it to, so that a test sees what a client makes of that. */
export interface ScriptedServer {
  readonly authEndpoint: string;
  /** All messages of clients, in order of arrival. */
  readonly received: WireMessage[];
  /** How many tokens were asked for, sockets opened, requests made. */
  readonly counts: { tokens: number; sockets: number; requests: number };
  /** What a message is answered with. */
  answer: (message: WireMessage) => Reply[];
  /** What an HTTP request as a whole is answered with, when not with replies. */
  refuse: (() => Refusal | undefined) | undefined;
  of(type: string): WireMessage[];
  /** Resolves with the message of that type that comes after `count` of them. */
  next(type: string, count?: number): Promise<WireMessage>;
  /** Say something to all sockets. */
  send(reply: Reply): void;
  /** Close all sockets as a server does that restarts. */
  disconnect(): void;
  stop(): Promise<void>;
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const received: WireMessage[] = [];
  const counts = { tokens: 0, sockets: 0, requests: 0 };
  const connected = new Set<WebSocket>();

  const http = createServer((request, response) => {
    if (request.url?.startsWith('/auth')) {
      counts.tokens++;
      json(response, 200, { accessToken: token(url()) });
    } else {
      counts.requests++;
      void answerRequest(server, request, response, received);
    }
  });
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'Bearer' });
  sockets.on('connection', (socket) => {
    counts.sockets++;
    connected.add(socket);
    socket.on('close', () => connected.delete(socket));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as WireMessage;
      received.push(message);
      for (const reply of server.answer(message)) socket.send(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = () => `http://127.0.0.1:${(http.address() as AddressInfo).port}/sync`;

  const of = (type: string) => received.filter((message) => message.type === type);
  const server: ScriptedServer = {
    authEndpoint: url().replace('/sync', '/auth'),
    received,
    counts,
    answer: (message) => (message.type === 'sync' ? [syncResponse(message)] : []),
    refuse: undefined,
    of,
    next: async (type, count = of(type).length) => {
      await waitFor(() => of(type).length > count, {
        describe: () => `no ${type} among ${JSON.stringify(received, null, 1)}`,
      });
      return of(type)[count]!;
    },
    send: (reply) => {
      for (const socket of connected) socket.send(JSON.stringify(reply));
    },
    disconnect: () => {
      for (const socket of connected) socket.close();
    },
    stop: async () => {
      for (const socket of connected) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

async function answerRequest(
  server: ScriptedServer,
  request: IncomingMessage,
  response: ServerResponse,
  received: WireMessage[],
): Promise<void> {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { messages } = JSON.parse(text) as { messages: WireMessage[] };
  received.push(...messages);
  const refusal = server.refuse?.();
  if (refusal?.afterMs) await new Promise((resolve) => setTimeout(resolve, refusal.afterMs));
  if (refusal && refusal.status !== 200) json(response, refusal.status, refusal.body);
  else json(response, 200, { messages: messages.flatMap((message) => server.answer(message)) });
}

/** The least that confirms a sync; more of it overrides. */
export const syncResponse = (sync: WireMessage, more: Record<string, unknown> = {}): Reply => ({
  type: 'sync-resp',
  operations: [],
  baselines: [],
  overwriteLocalData: false,
  peerPresence: {},
  ackedTimestamp: sync.timestamp,
  ...more,
});

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

/** Clients decode a token, they cannot verify it. */
const token = (url: string) =>
  [{ alg: 'HS256', typ: 'JWT' }, { sub: 'ana', lib: 'library', url, type: 0, jti: randomUUID() }, {}]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
