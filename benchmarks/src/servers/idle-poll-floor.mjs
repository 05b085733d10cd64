// The floor of polling: a route that verifies the token, as ours does, and answers a constant, which has the form and
// the length of what there is to say to a replica that is alone in its library.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { jwtVerify } from 'jose';
import { endAsTold } from './life.mjs';

const [port, , tokenSecret] = process.argv.slice(2);
const secret = new TextEncoder().encode(tokenSecret);
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
// Imported once: jose would do it again for each token.
const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['verify']);
const [id, replicaId] = ['user-0-0', 'replica-of-user-0-0'];
const userInfo = { id, replicaId, profile: { id }, presence: {}, internal: {} };
const nothing = { overwriteLocalData: false, baselines: [], operations: [] };
const ackedTimestamp = '00010mx06jwmr000017896e1';
const ANSWER = JSON.stringify({
  messages: [
    { type: 'presence-changed', replicaId, userInfo },
    { type: 'sync-resp', ...nothing, ackedTimestamp, peerPresence: { [id]: userInfo } },
  ],
});

const app = new Hono();
app.post('/verdant', async (c) => {
  const token = c.req.header('authorization')?.replace(/^Bearer /, '');
  await jwtVerify(token ?? '', key, { algorithms: ['HS256'], requiredClaims: ['exp'] });
  return c.body(ANSWER, 200, { 'Content-Type': 'application/json' });
});
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, () => console.log('listening'));
endAsTold();
