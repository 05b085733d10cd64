import type { Server } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createAdaptorServer } from '@hono/node-server';
import { createVerdant, TokenProvider } from '@verdant-web/server';
import { closeOnSignals, createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/server/node';
import { sqlStorage } from '@verdant-web/server/storage';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { SECRET } from '../server.js';

/*
 * The server that is killed and started again, in a process of its own, from built packages, on one SQLite file. What it
 * logs as an error is a line of its output.
 */

/** What the parent asks. */
export type Question = { ask: 'evict'; library: string };

/** What is told: once that it listens, and then for each question that it is done. */
export type Told = 'listening' | 'done';

const [, , directory = '', port = ''] = process.argv;
const tokens = new TokenProvider({ secret: SECRET });
const core = createVerdant({
  storage: sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
  tokenSecret: SECRET,
  logLevel: 'error',
  log: (level, ...args: unknown[]) => console.log(level, ...args.map((arg) => inspect(arg))),
});
const app = new Hono()
  .route('/verdant', createHttpRouter(core))
  .use(cors())
  .get('/auth/:libraryId', (context) =>
    context.json({
      accessToken: tokens.getToken({
        libraryId: context.req.param('libraryId'),
        userId: context.req.query('userId') ?? '',
        type: Number(context.req.query('type') ?? 0) as 0,
        syncEndpoint: new URL('/verdant', context.req.url).href,
      }),
    }),
  );
const server = createAdaptorServer({ fetch: app.fetch }) as Server;
server.on('upgrade', createNodeWebsocketHandler(core, { path: '/verdant', otherPaths: 'refuse' }));
closeOnSignals({ server, core });

const tell = (told: Told) => process.send?.(told);
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
process.on('message', async ({ library }: Question) => {
  await core.evict(library);
  tell('done');
});
server.listen(Number(port), '127.0.0.1', () => tell('listening'));
