import { describe, expect, test } from 'vitest';
import { undisturbed } from './bystanders.js';
import { readBody } from './peer.js';
import { RawSocket, upgradeRequest } from './raw-socket.js';
import { sharedCli } from './servers.js';
import { claimsFor, encode, fresh, jwt, seconds, tokenFor } from './tokens.js';

/* Tokens of every broken kind, over every way by which one can come. */
const server = sharedCli();

/** Each refused upgrade comes from a loopback address of its own: what repeats from one is slowed down. */
let address = 1;
const nextAddress = () => {
  address++;
  return `127.0.${Math.floor(address / 250) + 1}.${(address % 250) + 1}`;
};

const good = (more: object = {}) => claimsFor(server.base, fresh(), 'ann', more);
const without = (name: string) => Object.fromEntries(Object.entries(good()).filter(([key]) => key !== name));

/** Kind of token, how to make it, and the code that refuses it. */
const tokens: Record<string, [() => string, number]> = {
  'one letter': [() => 'x', 4011],
  'two dots': [() => '..', 4011],
  'many dots': [() => '.'.repeat(50), 4011],
  'two parts': [() => jwt(good()).split('.').slice(0, 2).join('.'), 4011],
  'four parts': [() => `${jwt(good())}.x`, 4011],
  'a header that is no base64': [() => `!!!.${encode(good())}.x`, 4011],
  'a header that is no JSON': [() => `${encode('nope')}.${encode(good())}.x`, 4011],
  'a header that is null': [() => `${encode('null')}.${encode(good())}.x`, 4011],
  'claims that are no JSON': [() => jwt('{"sub":'), 4011],
  'claims that are null': [() => jwt('null'), 4011],
  'claims that are nested 5,000 deep': [() => jwt('['.repeat(5_000)), 4011],
  HS512: [() => jwt(good(), { alg: 'HS512' }), 4011],
  RS256: [() => jwt(good(), { alg: 'RS256' }), 4011],
  none: [() => jwt(good(), { alg: 'none' }), 4011],
  'an algorithm that is an object': [() => jwt(good(), { header: { alg: {} } }), 4011],
  'an embedded key': [
    () => jwt(good(), { secret: 'x'.repeat(32), header: { jwk: { kty: 'oct', k: 'eA' } } }),
    4012,
  ],
  'a foreign signature': [() => jwt(good(), { secret: 'x'.repeat(32) }), 4012],
  'a changed claim': [
    () => {
      const [head, , signature] = jwt(good()).split('.');
      return `${head}.${encode(good({ sub: 'admin' }))}.${signature}`;
    },
    4012,
  ],
  'an expiry in the past': [() => jwt(good({ exp: seconds() - 100 })), 4012],
  'an expiry long ago': [() => jwt(good({ exp: 1 })), 4012],
  'no expiry': [() => jwt(without('exp')), 4011],
  'an expiry that is text': [() => jwt(good({ exp: '9999999999' })), 4011],
  'no user': [() => jwt(without('sub')), 4011],
  'an empty user': [() => jwt(good({ sub: '' })), 4011],
  'a number as user': [() => jwt(good({ sub: 7 })), 4011],
  'no library': [() => jwt(without('lib')), 4011],
  'an empty library': [() => jwt(good({ lib: '' })), 4011],
  'an object as library': [() => jwt(good({ lib: {} })), 4011],
  'type 6': [() => jwt(good({ type: 6 })), 4011],
  'type -1': [() => jwt(good({ type: -1 })), 4011],
  'type one half': [() => jwt(good({ type: 0.5 })), 4011],
  'a type that is a word': [() => jwt(good({ type: 'Realtime' })), 4011],
  'a type that is an object': [() => jwt(good({ type: {} })), 4011],
  'a type that is 4 in hexadecimal': [() => jwt(good({ type: '0x4' })), 4011],
  'a role that is an object': [() => jwt(good({ role: { admin: true } })), 4011],
};

const isRefusal = ({ status, body }: { status: number; body: unknown }, code: number, what: string) =>
  expect({ status, body }, what).toEqual({
    status: 401,
    body: { code, message: expect.any(String) as string },
  });

test('[AUTH-6] [AUTH-7] over HTTP is 401 with the code in an object, readable from another origin', () =>
  undisturbed(server, async () => {
    for (const [what, [make, code]] of Object.entries(tokens)) {
      const response = await fetch(`${server.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${make()}`, Origin: 'https://app.test' },
        body: '{"messages":[]}',
      });
      isRefusal({ status: response.status, body: await readBody(response) }, code, what);
      expect(response.headers.get('access-control-allow-origin'), what).toBe('https://app.test');
      expect(response.headers.get('access-control-allow-credentials'), what).toBe('true');
    }
  }));

describe.each([
  ['as sub-protocol', (token: string) => upgradeRequest({ protocols: `Bearer, ${token}` })],
  ['as ?token=', (token: string) => upgradeRequest({ path: `/verdant?token=${encodeURIComponent(token)}` })],
])('%s', (_, request) => {
  test('[SOCK-4] an upgrade is refused with 401 and the code in a JSON body before it is closed', () =>
    undisturbed(server, async () => {
      for (const [what, [make, code]] of Object.entries(tokens)) {
        const raw = await RawSocket.open(server.port, nextAddress());
        raw.write(request(make()));
        const { status, headers, body } = await raw.answer();
        isRefusal({ status, body: JSON.parse(body) as unknown }, code, what);
        expect(headers.toLowerCase()).toContain('content-type: application/json');
        raw.destroy();
      }
    }));

  test('[SOCK-1] [SOCK-2] a good one is taken', async () => {
    const raw = await RawSocket.open(server.port, nextAddress());
    raw.write(request(tokenFor(server.base, fresh(), 'ann')));
    // No body follows, so the end of the head is the answer.
    await expect.poll(() => raw.text).toContain('\r\n\r\n');
    expect(raw.text).toMatch(/^HTTP\/1.1 101/);
    raw.destroy();
  });
});

test('[SOCK-1] the server selects the sub-protocol Bearer', async () => {
  const raw = await RawSocket.upgraded(server.port, tokenFor(server.base, fresh(), 'ann'));
  expect(raw.text.toLowerCase()).toContain('sec-websocket-protocol: bearer\r\n');
  raw.destroy();
});

describe('upgrade requests', () => {
  const token = () => tokenFor(server.base, fresh(), 'ann');
  const requests: Record<string, [() => string, number, number]> = {
    'without a token': [() => upgradeRequest(), 401, 4010],
    'with an empty token': [() => upgradeRequest({ path: '/verdant?token=' }), 401, 4010],
    'with the scheme alone': [() => upgradeRequest({ protocols: 'Bearer' }), 401, 4010],
    'with a type that allows no socket': [
      () => upgradeRequest({ protocols: `Bearer, ${tokenFor(server.base, fresh(), 'ann', { type: 3 })}` }),
      403,
      4030,
    ],
    'with a type that allows no socket, as text': [
      () => upgradeRequest({ protocols: `Bearer, ${tokenFor(server.base, fresh(), 'ann', { type: '4' })}` }),
      403,
      4030,
    ],
    'of another path': [
      () => upgradeRequest({ path: '/elsewhere', protocols: `Bearer, ${token()}` }),
      404,
      4040,
    ],
    'of a path that is no URL': [
      () => upgradeRequest({ path: '//%%%', protocols: `Bearer, ${token()}` }),
      404,
      4040,
    ],
    'with a broken key': [() => upgradeRequest({ key: 'short', protocols: `Bearer, ${token()}` }), 400, 4000],
    'with another version': [
      () => upgradeRequest({ version: '12', protocols: `Bearer, ${token()}` }),
      400,
      4000,
    ],
    'of another method': [
      () => upgradeRequest({ method: 'POST', protocols: `Bearer, ${token()}` }),
      400,
      4000,
    ],
    'with a token of 12 kB': [
      () => upgradeRequest({ path: `/verdant?token=${'x'.repeat(12_000)}` }),
      401,
      4011,
    ],
  };

  test.each(Object.keys(requests))('[SOCK-3] [SOCK-4] %s are answered with status and JSON body', (name) =>
    undisturbed(server, async () => {
      const [make, status, code] = requests[name]!;
      const raw = await RawSocket.open(server.port, nextAddress());
      raw.write(make());
      const answer = await raw.answer();
      expect({ status: answer.status, body: JSON.parse(answer.body) as unknown }).toEqual({
        status,
        body: { code, message: expect.any(String) as string },
      });
      raw.destroy();
    }),
  );

  test('[REFUSE-3] with a header that is larger than any are refused, and disturb nobody', () =>
    undisturbed(server, async () => {
      const raw = await RawSocket.open(server.port, nextAddress());
      raw.write(upgradeRequest({ protocols: `Bearer, ${'x'.repeat(200_000)}` }));
      await expect.poll(() => raw.ended || raw.text.startsWith('HTTP/1.1 4')).toBe(true);
      raw.destroy();
    }));

  test('[REFUSE-3] whose sender leaves before, during or after the answer disturb nobody', () =>
    undisturbed(server, async () => {
      const text = upgradeRequest({ protocols: `Bearer, ${token()}` });
      for (let cut = 10; cut <= text.length; cut += 40) {
        const raw = await RawSocket.open(server.port);
        raw.write(text.slice(0, cut));
        raw.socket.resetAndDestroy();
      }
      for (let round = 0; round < 10; round++) {
        const raw = await RawSocket.open(server.port, nextAddress());
        raw.write(upgradeRequest({ protocols: 'Bearer, nonsense' }));
        raw.destroy();
      }
    }));
});

describe('an Authorization header', () => {
  test.each([
    ['that is missing', undefined, 4010],
    ['of another scheme', 'Basic YTpi', 4010],
    ['without a token', 'Bearer', 4010],
    ['with nonsense', 'Bearer nonsense', 4011],
    ['with two tokens', 'Bearer a b', 4010],
  ])('[AUTH-8] [AUTH-10] %s is 401', async (_, authorization, code) => {
    const response = await fetch(`${server.base}/verdant`, {
      method: 'POST',
      headers: authorization === undefined ? {} : { Authorization: authorization },
      body: '{"messages":[]}',
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code });
  });
});
