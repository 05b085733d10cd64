// Ours, from the built packages: an app of its own with nothing in it but sync, and no limit on how fast one may write.
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { createVerdant } from '@verdant-web/core';
import { createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/node';
import { sqlShardStorage, sqlStorage } from '@verdant-web/storage-sqlite';
import { Hono } from 'hono';
import { endAsTold } from './life.mjs';

const [port, directory, tokenSecret, settings] = process.argv.slice(2);
// One file for all libraries instead of one for each; and options of the service.
const { oneFile, ...options } = JSON.parse(settings);
const AS_FAST_AS_IT_CAN = 1_000_000_000;
const core = createVerdant({
  storage: oneFile
    ? sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') })
    : sqlShardStorage({ databasesDirectory: directory }),
  profiles: { get: async (id) => ({ id }) },
  tokenSecret,
  log: (level, ...args) => level === 'error' && console.error(...args),
  limits: {
    maxMessagesPerSecondPerConnection: AS_FAST_AS_IT_CAN,
    maxMessagesPerSecondPerUser: AS_FAST_AS_IT_CAN,
    maxBytesPerSecondPerUser: AS_FAST_AS_IT_CAN,
    maxRequestsPerSecondPerUser: AS_FAST_AS_IT_CAN,
  },
  ...options,
});
const app = new Hono().route('/verdant', createHttpRouter(core));
const server = serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, () =>
  console.log('listening'),
);
server.addListener('upgrade', createNodeWebsocketHandler(core));
endAsTold();
