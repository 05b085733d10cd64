import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import {
  createVerdant,
  LocalFileStorage,
  type Storage,
  TokenProvider,
  type TokenRequest,
  type VerdantOptions,
} from '@verdant-web/server';
import { createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/server/node';
import { sqlShardStorage } from '@verdant-web/server/storage';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { waitFor } from './until.js';

export const SECRET = 'a-secret-of-the-system-tests-0123456789';
/** Where `verdant-server` listens when it is not told otherwise. */
export const DEFAULT_PORT = 3242;

export const temporaryFolder = () => mkdtemp(join(tmpdir(), 'verdant-system-'));
export const removeFolder = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 3 });

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

// --- the built command, in a process of its own

/** The variable names another build of the command, to see how that one fares. */
const cliPath =
  process.env.VERDANT_SERVER_CLI ??
  fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));

export interface CliOptions {
  /** Where it runs, and by default keeps its data. */
  cwd: string;
  port?: number;
  /** More options. */
  args?: string[];
  env?: Record<string, string>;
  /** Pass no options at all, as in the quick start. */
  bare?: boolean;
}

export interface Cli {
  readonly base: string;
  readonly port: number;
  readonly pid: number;
  readonly output: string;
  readonly exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  /** An orderly end; resolves with how it ended. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export async function startCli({ cwd, port, args = [], env = {}, bare = false }: CliOptions): Promise<Cli> {
  if (!existsSync(cliPath)) throw new Error(`${cliPath} is missing: run pnpm build first`);
  const listenOn = bare ? DEFAULT_PORT : (port ?? (await freePort()));
  const options = bare
    ? []
    : ['--port', String(listenOn), '--host', 'localhost', '--secret', SECRET, ...args];
  const child = spawn(process.execPath, [cliPath, ...options], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const base = `http://localhost:${listenOn}`;
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  let exit: Cli['exit'];
  child.once('exit', (code, signal) => {
    exit = { code, signal };
  });
  const ended = () => waitFor(() => exit, { deadline: 10_000, describe: () => `still running: ${output}` });

  try {
    await waitFor<unknown>(() => exit ?? answers(base), { deadline: 15_000, describe: () => output });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (exit) throw new Error(`${cliPath} ended at start with ${JSON.stringify(exit)}:\n${output}`);

  return {
    base,
    port: listenOn,
    pid: child.pid!,
    get output() {
      return output;
    },
    get exit() {
      return exit;
    },
    stop: async (signal = 'SIGTERM') => {
      if (!exit) child.kill(signal);
      return ended();
    },
    kill: async () => {
      if (!exit) kill(child);
      await ended();
    },
  };
}

const kill = (child: ChildProcess) => child.kill('SIGKILL');

const answers = (base: string): Promise<boolean> =>
  fetch(`${base}/auth/is-it-up?userId=nobody`).then(
    (response) => response.ok,
    () => false,
  );

// --- the app of the documentation, in this process

export interface AppOptions {
  /** Where databases and files are. Default: a temporary folder that goes with `stop`. */
  directory?: string;
  /** Default: one that is free. */
  port?: number;
  /** Default: a SQLite file for each library. */
  storage?: (directory: string) => Storage;
  tokenExpiresIn?: number;
  /** How tokens are verified, asked at each start. Default: by the secret of the tests. */
  verification?: () => Pick<VerdantOptions, 'tokenSecret' | 'tokens'>;
  /** Makes the token that the auth endpoint gives out; null: it refuses. Default: signed with the secret of the tests. */
  issue?: (request: TokenRequest) => string | null | Promise<string | null>;
  /** Of the socket handler and the router. */
  allowedOrigins?: string[];
  profiles?: { get(userId: string): Promise<unknown> };
  replicaTruancyMinutes?: number;
  fileDeleteExpirationDays?: number;
  closeSocketsOnTokenExpiry?: boolean;
  presenceLeaseMs?: number;
  libraryIdleMs?: number;
  limits?: Required<VerdantOptions>['limits'];
  fileQuota?: Required<VerdantOptions>['fileQuota'];
  /** Gets the storage of files before anybody uses it, to let it fail. */
  changeFiles?: (files: LocalFileStorage) => void;
}

export type Core = ReturnType<typeof createVerdant>;

export interface App {
  readonly base: string;
  readonly port: number;
  readonly directory: string;
  /** A new one after each restart. */
  readonly core: Core;
  /** What the server logged as an error. */
  readonly errors: string[];
  stop(): Promise<void>;
  /** Everything goes and comes back on the same port and data, as in a deployment. */
  restart(): Promise<void>;
}

export async function startApp(options: AppOptions = {}): Promise<App> {
  const directory = options.directory ?? (await temporaryFolder());
  const port = options.port ?? (await freePort());
  const errors: string[] = [];
  let running = await compose(directory, port, options, errors);
  return {
    base: `http://localhost:${port}`,
    port,
    directory,
    get core() {
      return running.core;
    },
    errors,
    stop: async () => {
      await running.stop();
      if (!options.directory) await removeFolder(directory);
    },
    restart: async () => {
      await running.stop();
      running = await compose(directory, port, options, errors);
    },
  };
}

const shards = (directory: string) => sqlShardStorage({ databasesDirectory: directory });

/** The sample of the documentation, with the app's own authorisation filled in: whoever you say you are. */
async function compose(directory: string, port: number, options: AppOptions, errors: string[]) {
  const {
    directory: _,
    port: __,
    storage = shards,
    tokenExpiresIn,
    profiles,
    verification = () => ({ tokenSecret: SECRET }),
    issue = (request) => new TokenProvider({ secret: SECRET }).getToken(request),
    allowedOrigins,
    changeFiles,
    ...engineOptions
  } = options;
  const origins = allowedOrigins && { allowedOrigins };
  const filesDirectory = join(directory, 'files');
  const fileStorage = new LocalFileStorage({
    rootDirectory: filesDirectory,
    host: `http://localhost:${port}/files`,
  });
  changeFiles?.(fileStorage);
  const core = createVerdant({
    storage: storage(join(directory, 'databases')),
    profiles: profiles ?? { get: async (userId: string) => ({ id: userId, name: `Name of ${userId}` }) },
    ...verification(),
    fileStorage,
    log: (level: string, ...args: unknown[]) => {
      if (level === 'error') errors.push(args.map((arg) => inspect(arg)).join(' '));
    },
    ...engineOptions,
  });
  const app = new Hono()
    .route('/verdant', createHttpRouter(core, origins))
    .use(cors())
    .get('/auth/:libraryId', async (context) => {
      const type = context.req.query('type');
      const accessToken = await issue({
        libraryId: context.req.param('libraryId'),
        userId: context.req.query('userId') ?? 'anonymous',
        // By what they came through, come clients back.
        syncEndpoint: new URL('/verdant', context.req.url).href,
        ...(type !== undefined && { type: Number(type) as 0 }),
        ...(tokenExpiresIn !== undefined && { expiresIn: tokenExpiresIn }),
      });
      return accessToken === null ? context.text('Not you.', 403) : context.json({ accessToken });
    })
    .get(
      '/files/*',
      // serveStatic takes its root from where the process runs, absolute paths excepted.
      serveStatic({
        root: relative(process.cwd(), filesDirectory),
        rewriteRequestPath: (path) => path.replace('/files/', ''),
      }),
    );

  const server = serve({ fetch: app.fetch, port, hostname: 'localhost' }) as Server;
  server.addListener('upgrade', createNodeWebsocketHandler(core, origins));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    if (server.listening) resolve();
    server.once('listening', resolve).once('error', reject);
  });

  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await core.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { core, stop };
}
