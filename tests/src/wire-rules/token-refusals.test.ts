import { describe, expect, test } from 'vitest';
import { set, stamp } from './messages.js';
import { founder, joiner, Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { claimsFor, encode, fresh, jwt, seconds, tokenFor } from './tokens.js';

/* What a token is refused for, and what its type does not allow. */
const server = sharedCli();

const post = (token: string) =>
  fetch(`${server.base}/verdant`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: '{"messages":[]}',
  });

describe('error bodies', () => {
  test('[HTTP-3] [AUTH-6] are JSON objects, not strings that hold JSON: an expired token is 401 and 4012', async () => {
    const response = await post(tokenFor(server.base, fresh(), 'ann', { exp: seconds() - 60 }));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 4012 });
  });

  test('[AUTH-6] a bad signature is 401, and what a fresh token may cure', async () => {
    const response = await post(jwt(claimsFor(server.base, fresh(), 'ann'), { secret: 'z'.repeat(40) }));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 4012 });
  });
});

describe('tokens', () => {
  const base = () => claimsFor(server.base, fresh(), 'ann');
  const without = (name: string) =>
    Object.fromEntries(Object.entries(base()).filter(([key]) => key !== name));

  test.each<[string, () => string]>([
    ['HS384', () => jwt(base(), { alg: 'HS384' })],
    ['HS512', () => jwt(base(), { alg: 'HS512' })],
    ['none', () => jwt(base(), { alg: 'none' })],
    ['no expiry', () => jwt(without('exp'))],
    ['no library', () => jwt(without('lib'))],
    ['an object as library', () => jwt({ ...base(), lib: { id: 'x' } })],
    ['a list as library', () => jwt({ ...base(), lib: ['x'] })],
    ['an object as user', () => jwt({ ...base(), sub: { id: 'x' } })],
    ['no user', () => jwt(without('sub'))],
    ['an expiry that is text', () => jwt({ ...base(), exp: 'tomorrow' })],
    ['an unknown type', () => jwt({ ...base(), type: 9 })],
    ['claims that are no object', () => jwt('text')],
    ['claims that are a list', () => jwt([1])],
    ['no signature', () => `${encode({ alg: 'HS256' })}.${encode(base())}.`],
    ['a critical header that nobody knows', () => jwt(base(), { header: { crit: ['x'], x: 1 } })],
  ])('[AUTH-1] [AUTH-2] with %s could never have been ours: 401 and 4011', async (_, token) => {
    const response = await post(token());
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 401,
      body: { code: 4011, message: expect.any(String) as string },
    });
  });

  test.each(['4', '5'])('[AUTH-11] of the read-only type %j given as text may not write', async (type) => {
    const library = fresh();
    const ann = await founder(server, library);
    const reader = new Peer(server, library, 'reader', { type });
    await reader.post([reader.syncMessage()]);
    const { messages } = await reader.post([
      { type: 'op', timestamp: stamp(), operations: [set('items/1', 'title', 'hacked')] },
    ]);
    expect(messages).toEqual([{ type: 'forbidden' }]);
    const bob = await joiner(server, library);
    const marker = set('items/1', 'marker', 1);
    await bob.write(marker);
    expect((await ann.take('op-re')).operations).toEqual([marker]);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[AUTH-11] [SOCK-3] of a type without sockets given as text opens none', async () => {
    const peer = new Peer(server, fresh(), 'ann', { type: '1' });
    await expect(peer.connect()).rejects.toThrow('403');
  });
});
