// The server of the quick start in Verdant's documentation. What the page leaves to you is marked: `Hono` and `port`,
// which it uses undeclared, and the session logic of your app.

// biome-ignore-all assist/source/organizeImports: in the order of the page

import { createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/server/node';
import { sqlShardStorage } from '@verdant-web/server/storage';
import { LocalFileStorage, TokenProvider, createVerdant } from '@verdant-web/server';

// for the Hono server parts
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';

// left to you: these two
import { Hono } from 'hono';

const port = Number(process.env.PORT ?? 3242);

// the "core" is a service API for interacting with libraries.
// you could plug this into your own HTTP or other kind of interface,
// but further on are some Hono-based tools to help get started.
const core = createVerdant({
  // SQLite databases for each library are stored in this directory
  storage: sqlShardStorage({
    databasesDirectory: 'verdant-dbs',
  }),
  // implement .get to retrieve detailed profile information for sync users
  profiles: {
    get: async (userId) => {
      // you could fetch a profile record from a database here to augment
      // this profile with name, image, etc.
      // values will be cached, so don't worry too much about timing.
      return { id: userId };
    },
  },
  // required to validate sync access tokens generated from
  // your API
  tokenSecret: process.env.TOKEN_SECRET,
  // optional; enables file sync
  fileStorage: new LocalFileStorage({
    rootDirectory: 'verdant-files',
    // this matches an API you must host (see below)
    host: `http://localhost:${port}/files`,
  }),
  // optional logger
  log: (level, ...args) => console.log(level, ...args),
});

// our verdant router will be mounted to a subpath
// and handle all HTTP sync requests
const verdantRouter = createHttpRouter(core);

const tokenProvider = new TokenProvider({
  secret: process.env.TOKEN_SECRET,
});

// this is "your" app -- Verdant lives in it,
// but you control the API.
const app = new Hono()
  .route('/verdant', verdantRouter)
  // issue sync tokens
  .get('/auth/:libraryId', async (ctx) => {
    // here you authenticate your user, authorize
    // their access to a particular library, and
    // issue a token.
    const library = ctx.req.param('libraryId');

    // left to you: your own session / auth logic. This believes anyone.
    const user = ctx.req.query('user') ?? 'someone';

    // remember to check that the user is allowed to sync
    // to this library

    const token = tokenProvider.getToken({
      libraryId: library,
      userId: user,
      // this subpath matches the verdantRouter mount
      syncEndpoint: `http://127.0.0.1:${port}/verdant`,
    });
    return ctx.json({
      accessToken: token,
    });
  })
  // (optional) serve uploaded files
  // if you use LocalFileStorage
  .get(
    '/files/*',
    serveStatic({
      root: 'verdant-files',
      rewriteRequestPath: (path) => path.replace('/files/', ''),
    }),
  );

const server = serve({
  fetch: app.fetch,
  port,
});

// handle websocket sync! must be done like this, not included
// in createHttpRouter!
const onUpgrade = createNodeWebsocketHandler(core);
server.addListener('upgrade', onUpgrade);

server.addListener('listening', () => {
  console.info(`🌿 Verdant Server listening on http://localhost:${port}`);
});
