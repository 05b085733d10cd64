import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { TokenProvider, type TokenRequest } from '@verdant-web/server';
import { SECRET } from './server.js';

/** A proxy between clients and the server, that sees uploads and can cut them off. */
export interface UploadProxy {
  /** For an app's options: its tokens then lead clients here. */
  readonly issue: (request: TokenRequest) => string;
  /** The server's port. To be set before somebody connects. */
  target: number;
  /** How many uploads began. */
  readonly uploads: number;
  /** How many of them were cut off. */
  readonly cuts: number;
  stop(): Promise<void>;
}

export interface UploadProxyOptions {
  /** So many uploads, the first ones, are cut off. Default: none. */
  cut?: number;
  /** After so many bytes. Default: 1 MiB. */
  after?: number;
}

const UPLOAD = 'POST /verdant/files/';

/** Listens on a port of its own. Cuts as a network does: both ends lose the connection, neither is told why. */
export async function startUploadProxy({
  cut = 0,
  after = 1024 ** 2,
}: UploadProxyOptions = {}): Promise<UploadProxy> {
  const sockets = new Set<Socket>();
  const proxy = { target: 0, uploads: 0, cuts: 0 };
  const server = createServer((client) => {
    const upstream = connect(proxy.target, 'localhost');
    let left = Number.POSITIVE_INFINITY;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      if (bytes.includes(UPLOAD)) {
        proxy.uploads++;
        left = proxy.uploads <= cut ? after : Number.POSITIVE_INFINITY;
      }
      left -= bytes.length;
      if (left > 0) {
        if (!upstream.write(bytes)) client.pause();
        return;
      }
      proxy.cuts++;
      end();
    });
    upstream.on('drain', () => client.resume());
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const syncEndpoint = `http://localhost:${(server.address() as AddressInfo).port}/verdant`;
  const tokens = new TokenProvider({ secret: SECRET });
  return Object.assign(proxy, {
    issue: (request: TokenRequest) => tokens.getToken({ ...request, syncEndpoint }),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
