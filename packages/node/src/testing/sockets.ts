import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { WebSocket } from 'ws';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server on a free port, closed after the test. */
export const startServer = async (
  server: Server = createServer(),
): Promise<{ server: Server; port: number }> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  cleanUps.push(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
};

/** A client as browsers are: the token comes as a sub-protocol. Its messages and its end are noted. */
export interface Client {
  socket: WebSocket;
  messages: string[];
  /** How it was closed; undefined: it is not. */
  closed: { code: number; reason: string } | undefined;
  opened: Promise<void>;
}

export const openClient = (port: number, { token = 'good', path = '/' } = {}): Client => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['Bearer', token]);
  cleanUps.push(() => socket.terminate());
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  opened.catch(() => {});
  const client: Client = { socket, messages: [], closed: undefined, opened };
  socket.on('message', (data) => client.messages.push(data.toString()));
  socket.on('error', () => {});
  socket.on('close', (code, reason) => {
    client.closed = { code, reason: reason.toString() };
  });
  return client;
};

/** A raw connection: what it was sent so far, and whether it was ended. */
export interface RawClient {
  socket: Socket;
  text: string;
  bytes: Buffer;
  ended: boolean;
}

export const openRaw = (port: number, ...lines: string[]): RawClient => {
  const socket = connect(port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  const client: RawClient = { socket, text: '', bytes: Buffer.alloc(0), ended: false };
  socket.on('data', (data) => {
    client.bytes = Buffer.concat([client.bytes, data]);
    client.text = client.bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    client.ended = true;
  });
  if (lines.length > 0) socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return client;
};

/** The lines of a handshake. */
export const handshakeLines = ({
  path = '/',
  protocols = 'Bearer, good',
  ...others
}: Record<string, string> = {}) => {
  const headers: Record<string, string> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...(protocols && { 'Sec-WebSocket-Protocol': protocols }),
    ...others,
  };
  return [`GET ${path} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
};

/** A client's frame, masked as they are. */
export const frame = (
  payload: string | Buffer,
  { opcode = 1, fin = true, length }: FrameOptions = {},
): Buffer => {
  const bytes = Buffer.from(payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  const masked = bytes.map((byte, at) => byte ^ mask[at % 4]!);
  const size = length ?? bytes.length;
  const head =
    size < 126 ? Buffer.from([0, 0x80 | size]) : Buffer.from([0, 0xff, ...Buffer.alloc(8).fill(0, 0, 8)]);
  head[0] = (fin ? 0x80 : 0) | opcode;
  if (size >= 126) head.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([head, mask, masked]);
};

export interface FrameOptions {
  opcode?: number;
  fin?: boolean;
  /** What the frame says its length is, where that is a lie. */
  length?: number;
}
