import { serve } from '@hono/node-server';
import { createVerdant, TokenProvider } from '@verdant-web/server';
import { createHttpRouter, createNodeWebsocketHandler, credentialedCors } from '@verdant-web/server/node';
import { Hono } from 'hono';
import { jsonFileStorage } from './json-file-storage.js';

const port = Number(process.env.PORT ?? 3242);
const secret = process.env.TOKEN_SECRET;

const core = createVerdant({
  // The one line in which this server differs from any other.
  storage: jsonFileStorage({ directory: 'verdant-json' }),
  tokenSecret: secret,
  log: console,
});
const tokens = new TokenProvider({ secret });

const app = new Hono()
  .use('/auth/*', credentialedCors({ allowedOrigins: ['http://localhost:5173'] }))
  .route('/verdant', createHttpRouter(core))
  // An example: it believes anyone who they say they are.
  .get('/auth/:libraryId', (ctx) => {
    const accessToken = tokens.getToken({
      libraryId: ctx.req.param('libraryId'),
      userId: ctx.req.query('user') ?? 'someone',
      syncEndpoint: `http://localhost:${port}/verdant`,
    });
    return ctx.json({ accessToken });
  });

const server = serve({ fetch: app.fetch, port }, () => {
  console.info(`Listening on http://localhost:${port}, libraries are in ./verdant-json`);
});
server.addListener('upgrade', createNodeWebsocketHandler(core));
