import { claimsFor, encode, jwt, seconds } from '../wire-rules/tokens.js';
import type { Aim, TcpInput } from './inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';

/** A token, and whether it is none that the server may take. */
export interface MadeToken {
  text: string;
  forged: boolean;
}

export const goodToken = ({ base, library, user }: Aim): string => jwt(claimsFor(base, library, user));

/** Good in one of four, almost. */
export function anyToken(random: Random, aim: Aim): MadeToken {
  const claims = claimsFor(aim.base, aim.library, aim.user);
  const good = jwt(claims);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const forged = (text: string): MadeToken => ({ text, forged: true });
  const unsure = (text: string): MadeToken => ({ text, forged: false });
  return random.one<MadeToken>(
    () => unsure(good),
    () => unsure(good),
    () => unsure(good),
    () => unsure(good),
    () => unsure(good),
    () => unsure(jwt({ ...claims, type: random.pick([0, 1, 2, 3, 4, 5, '4', 6, -1, '', null, {}, 1e9]) })),
    () => unsure(jwt(claims, { header: oddHeader(random) })),
    () => forged(jwt(claims, { secret: random.pick(['', 'x', 'secret', '\0'.repeat(40)]) })),
    () => forged(jwt(claims, { alg: random.pick(ALGORITHMS) })),
    () => forged(jwt(without(claims, random.pick(['sub', 'lib', 'exp'])))),
    () => forged(jwt({ ...claims, [random.pick(['sub', 'lib'])]: random.pick(NO_IDS) })),
    () => forged(jwt({ ...claims, exp: random.pick([0, -1, seconds() - 3600, '9999999999', null, {}]) })),
    () => forged(jwt({ ...claims, nbf: seconds() + 86_400 })),
    () => forged(jwt(random.pick<unknown>([null, [], 'x', 1, { [random.oddText()]: random.value() }]))),
    () => forged(`${encode(random.oddText())}.${payload}.${signature}`),
    () =>
      forged(`${encode({ alg: 'HS256', zip: 'DEF', b64: false, crit: ['b64'] })}.${payload}.${signature}`),
    () => forged(`${header}.${encode({ ...claims, lib: 'another' })}.${signature}`),
    () => forged(`${header}.${payload}.`),
    () => forged(`${header}.${payload}`),
    () => forged(`${good}.${random.pick(['x', signature, '', '.'])}`),
    () => forged(`${header}..${random.oddText()}.${payload}.${signature}`),
    () => forged(random.oddText(4_000)),
    () => forged(`${'eyJ'.repeat(1 + random.below(2_000))}.${payload}.${signature}`),
    () => {
      const text = mutated(random, Buffer.from(good)).toString('latin1');
      return { text, forged: !text.includes(`${header}.${payload}.`) };
    },
  );
}

/** One poll, shown a token. */
export function tokenRequest(random: Random, aim: Aim): TcpInput {
  const { text, forged } = anyToken(random, aim);
  const body = '{"messages":[]}';
  const scheme = random.pick([
    'Bearer ',
    'Bearer ',
    'Bearer ',
    'bearer ',
    'Bearer  ',
    'Basic ',
    '',
    'Bearer\t',
  ]);
  const request = [
    `POST ${random.pick(['/verdant', '/verdant/', '/verdant?token=x'])} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${scheme}${headerSafe(text)}`,
    ...(random.chance(0.1) ? [`Authorization: Bearer ${goodToken(aim)}`] : []),
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
  return {
    kind: 'token',
    over: 'tcp',
    pieces: [Buffer.from(request, 'latin1')],
    answers: 1,
    isWhole: true,
    forged,
  };
}

/** Without what would end the header: that is for the grammar of requests. */
export const headerSafe = (text: string): string => text.replace(/[\r\n\0]/g, '_');

const ALGORITHMS = [
  'none',
  'None',
  '',
  'HS384',
  'HS512',
  'hs256',
  'RS256',
  'ES256',
  'EdDSA',
  'dir',
  'PBES2-HS256+A128KW',
];
const NO_IDS: readonly unknown[] = [null, '', 1, {}, [], ['a'], { toString: 'x' }, true];

const oddHeader = (random: Random): object =>
  random.pick<object>([
    { kid: '../../../../dev/null' },
    { kid: "x' UNION SELECT 'a" },
    { kid: ['a'] },
    { kid: 'k'.repeat(3_000) },
    { kid: '__proto__' },
    { jku: 'http://127.0.0.1:1/keys' },
    { x5u: 'http://127.0.0.1:1/keys' },
    { jwk: { kty: 'oct', k: 'AAAA' } },
    { crit: ['x'], x: 1 },
    { crit: [] },
    { typ: 'at+jwt' },
    { cty: 'JWT' },
    { alg: ['HS256'] },
  ]);

const without = <T extends object>(fields: T, name: string) =>
  Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name));
