// Ours, from the built packages: an app of its own with nothing in it but sync, and no limit on how fast one may write.
import { serve } from '@hono/node-server';
import { createVerdant } from '@verdant-web/core';
import { createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/node';
import { sqlShardStorage } from '@verdant-web/storage-sqlite';
import { Hono } from 'hono';

const [port, directory, tokenSecret] = process.argv.slice(2);
const AS_FAST_AS_IT_CAN = 1_000_000_000;
const core = createVerdant({
  storage: sqlShardStorage({ databasesDirectory: directory }),
  profiles: { get: async (id) => ({ id }) },
  tokenSecret,
  log: (level, ...args) => level === 'error' && console.error(...args),
  limits: {
    maxMessagesPerSecondPerConnection: AS_FAST_AS_IT_CAN,
    maxMessagesPerSecondPerUser: AS_FAST_AS_IT_CAN,
    maxBytesPerSecondPerUser: AS_FAST_AS_IT_CAN,
    maxRequestsPerSecondPerUser: AS_FAST_AS_IT_CAN,
  },
});
const app = new Hono().route('/verdant', createHttpRouter(core));
const server = serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, () =>
  console.log('listening'),
);
server.addListener('upgrade', createNodeWebsocketHandler(core));
// So that node --cpu-prof writes what it has seen.
process.once('SIGTERM', () => process.exit());
// Whoever started it is gone, however that went.
process.stdin.resume().once('end', () => process.exit());
