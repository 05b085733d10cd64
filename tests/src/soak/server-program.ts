import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { createAdaptorServer } from '@hono/node-server';
import { systemScheduler } from '@verdant-web/core';
import { createVerdant } from '@verdant-web/server';
import { closeOnSignals, createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/server/node';
import { sqlShardStorage } from '@verdant-web/server/storage';
import { Hono } from 'hono';
import { SECRET } from '../server.js';
import { CountedScheduler } from './counted-scheduler.js';
import { databasesIn } from './databases.js';

/* The server whose growth is measured, in a process of its own, from built packages, a SQLite file for each library. */

export type Question = { ask: 'measure' };

/** What is told: once where it listens, and then for each question. */
export type Told = { port: number } | Measures;

export interface Measures {
  /** After garbage collections. */
  heapBytes: number;
  externalBytes: number;
  rssBytes: number;
  /** Open file descriptors: sockets, databases. */
  descriptors: number;
  /** Tasks of the engine that are yet to run, whose timers keep nothing alive and so are on no list of Node's; and what is on it. */
  timers: number;
  /** Whatever else keeps the event loop alive. */
  handles: number;
  /** Without the keys of folded operations, which are kept for two hours. */
  databaseBytes: number;
  keptKeyBytes: number;
  walBytes: number;
  /** CPU seconds since it began. */
  cpuSeconds: number;
  /** Lines that were logged as errors. */
  errors: number;
}

const [, , directory = ''] = process.argv;
let errors = 0;
const scheduler = new CountedScheduler(systemScheduler);
const core = createVerdant({
  scheduler,
  storage: sqlShardStorage({ databasesDirectory: directory }),
  tokenSecret: SECRET,
  logLevel: 'error',
  log: (...args: unknown[]) => {
    errors++;
    console.log(...args.map((arg) => inspect(arg)));
  },
});
const app = new Hono().route('/verdant', createHttpRouter(core));
const server = createAdaptorServer({ fetch: app.fetch }) as Server;
server.on('upgrade', createNodeWebsocketHandler(core, { path: '/verdant', otherPaths: 'refuse' }));
closeOnSignals({ server, core });

async function measure(): Promise<Measures> {
  // What is freed by one collection lets go of more, and the allocator returns pages a moment later.
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((name) => name === 'Timeout').length;
  const { user, system } = process.cpuUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    timers: timers + scheduler.pending,
    handles: resources.filter((name) => name !== 'Immediate').length - timers,
    ...databasesIn(directory),
    cpuSeconds: (user + system) / 1e6,
    errors,
  };
}

const tell = (told: Told) => process.send?.(told);
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
process.on('message', async (_: Question) => tell(await measure()));
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
