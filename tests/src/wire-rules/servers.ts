import { mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { createVerdant, type Storage, type VerdantOptions } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import { LocalFileStorage } from '@verdant-web/files-local';
import { createHttpRouter } from '@verdant-web/http';
import { createNodeWebsocketHandler, type NodeWebsocketOptions } from '@verdant-web/node';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Cli, freePort, SECRET, startCli, temporaryFolder } from '../server.js';

/** The built command, one for a test file; it must be running still at the end. */
export function sharedCli(): {
  readonly base: string;
  readonly port: number;
  readonly folder: string;
  readonly cli: Cli;
} {
  let cli: Cli | undefined;
  let folder = '';
  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    cli = await startCli({ cwd: folder });
  });
  afterAll(async () => {
    const exit = cli?.exit;
    const output = cli?.output ?? '';
    await cli?.kill();
    await rm(folder, { recursive: true, force: true });
    expect(exit, `the server ended by itself: ${output.slice(-2000)}`).toBeUndefined();
  });
  const running = () => {
    if (!cli) throw new Error('the command is not running');
    return cli;
  };
  return {
    get base() {
      return running().base;
    },
    get port() {
      return running().port;
    },
    get folder() {
      return folder;
    },
    get cli() {
      return running();
    },
  };
}

export interface Composed {
  readonly base: string;
  readonly port: number;
  readonly core: ReturnType<typeof createVerdant>;
  /** Folder of uploads. */
  readonly files: string;
  /** What was logged: level and sentence. */
  readonly logged: { level: string; text: string; args: readonly unknown[] }[];
}

export interface ComposeOptions extends Partial<VerdantOptions> {
  websocket?: NodeWebsocketOptions;
  storage?: Storage;
}

/** The product's own parts in this process, where a test has to turn its screws. Ends with the scenario. */
export async function composed(
  { websocket, ...options }: ComposeOptions,
  scenario: (server: Composed) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const folder = await temporaryFolder();
  const files = join(folder, 'files');
  const logged: Composed['logged'] = [];
  const core = createVerdant({
    storage: memoryStorage(),
    tokenSecret: SECRET,
    fileStorage: new LocalFileStorage({ rootDirectory: files, host: `http://localhost:${port}/files` }),
    log: (level, ...args) => {
      logged.push({ level, text: String(args[0]), args });
    },
    ...options,
  });
  const app = new Hono().route('/verdant', createHttpRouter(core));
  const server = serve({ fetch: app.fetch, port, hostname: 'localhost' }) as Server;
  const handler = createNodeWebsocketHandler(core, websocket);
  server.addListener('upgrade', handler);
  await new Promise<void>((resolve) => {
    if (server.listening) resolve();
    else server.once('listening', resolve);
  });
  try {
    const { port: listening } = server.address() as AddressInfo;
    await scenario({ base: `http://localhost:${listening}`, port: listening, core, files, logged });
  } finally {
    await core.close();
    await handler.close(500);
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true, force: true });
  }
}
