import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where to listen. */
export interface ListenOptions {
  /** 0: any free port. */
  port: number;
  host: string;
}

/** Servers that listen, all on one port. */
export interface Listening {
  servers: Server[];
  port: number;
}

/**
 * Starts to listen. `localhost` means two addresses, and which of them a browser or `fetch` tries is for them to say,
 * so there is a server for each; one that this machine does not have is left out.
 */
export const listen = async (
  createServer: () => Server,
  { port, host }: ListenOptions,
): Promise<Listening> => {
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  const servers: Server[] = [];
  let chosen = port;
  let absent: unknown;
  try {
    for (const address of addresses) {
      const server = createServer();
      try {
        await listenOn(server, chosen, address);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        absent = error;
        continue;
      }
      servers.push(server);
      chosen = (server.address() as AddressInfo).port;
    }
    if (servers.length === 0) throw absent;
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return { servers, port: chosen };
};

const listenOn = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });

const isAbsent = (error: unknown): boolean =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '');
