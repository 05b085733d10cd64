import { mkdtempSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createAdaptorServer } from '@hono/node-server';
import { createVerdant, LocalFileStorage, type VerdantOptions } from '@verdant-web/server';
import {
  closeOnSignals,
  createHttpRouter,
  createNodeWebsocketHandler,
  serveFiles,
} from '@verdant-web/server/node';
import { sqlShardStorage, sqlStorage } from '@verdant-web/server/storage';
import { Hono } from 'hono';
import { SECRET } from '../server.js';
import { CANARIES } from './canaries.js';

/*
 * The server that is abused, in a process of its own, from built packages. It tells its parent what no client may
 * learn: how much memory it holds, and what it logged that it should not have.
 */

/** What the parent asks. */
export type Question = { ask: 'measure' } | { ask: 'errors' };

/** What is told, once when it listens and then for each question. */
export type Told =
  | { port: number }
  | { heapBytes: number; rssBytes: number; externalBytes: number; handles: number }
  | { errors: string[]; lines: number; libraries: number };

export interface ProgramOptions {
  storage?: 'shards' | 'unified';
  /** How long what nobody uses stays in memory. */
  libraryIdleMs?: number;
  presenceLeaseMs?: number;
  /** How often sockets are pinged. */
  pingIntervalMs?: number;
  limits?: Required<VerdantOptions>['limits'];
}

const MAX_ERRORS = 20;
const OPENED = 'A library is opened.';
const options = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions;
const directory = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'verdant-abuse-'));
const errors: string[] = [];
let lines = 0;
let libraries = 0;

const note = (problem: string) => {
  if (errors.length < MAX_ERRORS) errors.push(problem.slice(0, 2_000));
};

const log = (level: string, message: string, fields: object) => {
  lines++;
  if (message === OPENED) libraries++;
  if (message === 'A library has left memory.') libraries--;
  const line = `${level} ${message} ${inspect(fields, { depth: 6, breakLength: Number.POSITIVE_INFINITY })}`;
  if (level === 'error') note(line);
  const leaked = [SECRET, ...Object.values(CANARIES)].find((text) => line.includes(text));
  if (leaked ?? /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/.test(line)) note(`the log tells too much: ${line}`);
};

const { storage: kind = 'unified', pingIntervalMs, ...engine } = options;
const core = createVerdant({
  storage:
    kind === 'shards'
      ? sqlShardStorage({ databasesDirectory: join(directory, 'databases') })
      : sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
  tokenSecret: SECRET,
  fileStorage: new LocalFileStorage({
    rootDirectory: join(directory, 'files'),
    host: 'http://localhost/files',
  }),
  logLevel: 'debug',
  log,
  ...engine,
});
const app = new Hono()
  .route('/verdant', createHttpRouter(core))
  .route('/files', serveFiles(core))
  .notFound((c) => c.json({ code: 4040, message: 'There is nothing here.' }, 404));
const server = createAdaptorServer({ fetch: app.fetch }) as Server;
server.on(
  'upgrade',
  createNodeWebsocketHandler(core, {
    path: '/verdant',
    otherPaths: 'refuse',
    ...(pingIntervalMs === undefined ? {} : { pingIntervalMs }),
  }),
);
closeOnSignals({ server, core });

const tell = (told: Told) => process.send?.(told);
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
process.on('message', async (question: Question) => {
  if (question.ask === 'errors') return tell({ errors, lines, libraries });
  // What is freed by one collection lets go of more, and the allocator returns pages a moment later.
  for (let times = 0; times < 4; times++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, rss, external } = process.memoryUsage();
  const handles = process
    .getActiveResourcesInfo()
    .filter((name) => !/^(Timeout|Immediate)$/.test(name)).length;
  tell({ heapBytes: heapUsed, rssBytes: rss, externalBytes: external, handles });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 }, () => {
  const { port } = server.address() as AddressInfo;
  tell({ port });
});
