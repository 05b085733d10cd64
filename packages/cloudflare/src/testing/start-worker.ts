import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { nextTimestamp } from './peer.js';

const SECRET = 'a-secret-of-the-tests-of-workers-0123456789';
const OLD_SECRET = 'the-secret-before-of-the-tests-of-workers-0123456789';

/** Bundles a worker of these tests, from the sources of all packages. */
export async function bundleWorker(file: string, { minify = false } = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    minify,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    external: ['cloudflare:*'],
    tsconfig: fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url)),
  });
  return outputFiles[0]!.text;
}

export interface WorkerOptions {
  /** Of `DurableObjectLibrary`, those that are JSON. */
  options?: Record<string, unknown>;
  /** Whether `control('rows')` tells the rows that an object has read and written in its present life. Default: no. */
  countRows?: boolean;
  /** Default: none, and so nothing of Node. */
  compatibilityFlags?: string[];
  /** A folder that outlives the process. Default: memory. */
  persist?: string;
  port?: number;
}

export interface RunningWorker {
  /** Without a slash at its end. */
  readonly base: string;
  /** What objects have logged as errors. */
  readonly errors: readonly string[];
  token(libraryId: string, userId: string, query?: Record<string, string>): Promise<string>;
  /** One poll of a device over HTTP: of the user's only one that polls, or another, and its first but for `since`. */
  poll(libraryId: string, userId: string, of?: { replicaId?: string; since?: string }): Promise<void>;
  /** Uploads some bytes as the file of this id. */
  upload(libraryId: string, userId: string, fileId: string): Promise<void>;
  /** What is in the bucket. */
  bucket(): Promise<string[]>;
  /** What an operator may do to a library, by the method's name. */
  control<Result>(libraryId: string, method: string, ...args: unknown[]): Promise<Result>;
  stop(): Promise<void>;
}

let bundled: Promise<string> | undefined;

/** Runs the worker of these tests in workerd. */
export async function startWorker({
  options = {},
  countRows = false,
  compatibilityFlags = [],
  persist,
  port = 0,
}: WorkerOptions = {}): Promise<RunningWorker> {
  bundled ??= bundleWorker('./worker.ts');
  const errors: string[] = [];
  const miniflare = new Miniflare({
    modules: true,
    script: await bundled,
    host: 'localhost',
    port,
    // What Cloudflare would say of a request is not asked for over the network.
    cf: false,
    compatibilityDate: '2026-04-01',
    compatibilityFlags,
    durableObjects: { LIBRARIES: { className: 'VerdantLibrary', useSQLite: true } },
    r2Buckets: ['FILES'],
    bindings: {
      ...{ TOKEN_SECRET: SECRET, OLD_TOKEN_SECRET: OLD_SECRET },
      ...{ OPTIONS: options as never, BASE: `http://localhost:${port}`, COUNT_ROWS: countRows },
    },
    handleRuntimeStdio: (stdout, stderr) => {
      for (const output of [stdout, stderr]) {
        createInterface(output).on('line', (line) => {
          const [, logged] = /logged error: (".*")/.exec(line) ?? [];
          if (logged) errors.push(JSON.parse(logged));
          else if (process.env.SHOW_WORKERD) console.log(line);
        });
      }
    },
    ...(persist !== undefined && {
      durableObjectsPersist: `${persist}/objects`,
      r2Persist: `${persist}/files`,
    }),
  });
  const base = (await miniflare.ready).href.replace(/\/$/, '');
  const token: RunningWorker['token'] = async (libraryId, userId, query = {}) => {
    const asked = new URLSearchParams({ userId, ...query });
    const answer = await fetch(`${base}/auth/${encodeURIComponent(libraryId)}?${asked}`);
    return ((await answer.json()) as { accessToken: string }).accessToken;
  };
  return {
    base,
    errors,
    token,
    async poll(libraryId, userId, { replicaId = `${userId}-polling`, since } = {}) {
      const headers = { authorization: `Bearer ${await token(libraryId, userId)}` };
      const messages = [
        { type: 'presence-update', replicaId, presence: {}, internal: {} },
        {
          ...{ type: 'sync', replicaId, timestamp: nextTimestamp(), schemaVersion: 1, since: since ?? null },
          ...{ resyncAll: false, operations: [], baselines: [] },
        },
      ];
      const body = JSON.stringify({ messages });
      const answer = await fetch(`${base}/verdant`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`The poll was answered with ${answer.status}: ${text}`);
    },
    async upload(libraryId, userId, fileId) {
      const headers = { authorization: `Bearer ${await token(libraryId, userId)}` };
      const body = new FormData();
      body.append('file', new File(['some bytes'], 'note.txt', { type: 'text/plain' }));
      const answer = await fetch(`${base}/verdant/files/${fileId}`, { method: 'POST', headers, body });
      if (!answer.ok)
        throw new Error(`The upload was answered with ${answer.status}: ${await answer.text()}`);
    },
    bucket: async () => (await (await fetch(`${base}/bucket`)).json()) as string[],
    async control(libraryId, method, ...args) {
      const answer = await fetch(`${base}/control/${encodeURIComponent(libraryId)}/${method}`, {
        method: 'POST',
        body: JSON.stringify(args),
      });
      const { result, error } = (await answer.json()) as { result: never; error?: string };
      if (error !== undefined) throw new Error(error);
      return result;
    },
    stop: () => miniflare.dispose(),
  };
}
