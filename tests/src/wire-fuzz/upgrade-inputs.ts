import { frame, upgradeRequest } from '../wire-rules/raw-socket.js';
import type { Aim, TcpInput } from './inputs.js';
import { messageText } from './message-inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';
import { anyToken, goodToken, headerSafe } from './token-inputs.js';

/** A request to become a WebSocket, and at times what comes right behind it. */
export function upgrade(random: Random, aim: Aim): TcpInput {
  const token = anyToken(random, aim);
  const place = random.pick(['protocol', 'query'] as const);
  const text = headerSafe(token.text);
  const asked = upgradeRequest({
    path: pathOf(random, place === 'query' ? text : undefined),
    protocols: protocolsOf(random, place === 'protocol' ? text : undefined),
    ...(random.chance(0.15) ? { key: random.pick(KEYS) } : {}),
    ...(random.chance(0.15) ? { version: random.pick(VERSIONS) } : {}),
    ...(random.chance(0.05) ? { method: random.pick(['POST', 'HEAD', 'CONNECT', 'get', 'OPTIONS']) } : {}),
    ...(random.chance(0.3) ? { more: random.pick(MORE) } : {}),
  });
  const whole = Buffer.from(asked, 'latin1');
  // A mutation may put a good token in the place of a forged one only by a wonder, but may well spoil a good one.
  const { forged } = token;
  return random.one<TcpInput>(
    () => ({ kind: 'upgrade', over: 'tcp', pieces: [whole], answers: 1, isWhole: true, forged }),
    () => ({
      kind: 'upgrade, mutated',
      over: 'tcp',
      pieces: [mutated(random, whole)],
      answers: 1,
      isWhole: false,
    }),
    () => ({
      kind: 'upgrade, half',
      over: 'tcp',
      pieces: [whole.subarray(0, random.below(whole.length))],
      answers: 0,
      isWhole: false,
    }),
    () => ({
      kind: 'upgrade, and more',
      over: 'tcp',
      pieces: [Buffer.concat([whole, behind(random, aim)])],
      answers: 1,
      isWhole: true,
      forged,
    }),
  );
}

/** Frames or a request, before the answer came. */
const behind = (random: Random, aim: Aim): Buffer =>
  random.one(
    () => frame(messageText(random, aim.replica)),
    () => random.bytes(random.below(300)),
    () => Buffer.from(upgradeRequest({ protocols: `Bearer, ${goodToken(aim)}` })),
    () => Buffer.from('GET /verdant HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  );

const pathOf = (random: Random, token: string | undefined): string => {
  const path = random.pick([
    '/verdant',
    '/verdant',
    '/verdant',
    '/verdant',
    '/verdant',
    '/verdant',
    '/verdant/',
    '/',
    '/other',
    'http://x/verdant',
    '/verdant/../verdant',
  ]);
  if (token === undefined) return path;
  const text = random.chance(0.7)
    ? token.replace(/[^\w.-]/g, '_')
    : encodeURIComponent(token.slice(0, 2_000));
  return `${path}?${random.pick(['token=', 'token=', 'token=', 'token=x&token=', 'TOKEN=', '&&token=', 'token%3d'])}${text}`;
};

const protocolsOf = (random: Random, token: string | undefined): string | undefined => {
  if (token === undefined) return random.pick([undefined, undefined, 'Bearer', 'Bearer, ', ',', 'x']);
  return random.one(
    () => `Bearer, ${token}`,
    () => `Bearer, ${token}`,
    () => `Bearer,${token}`,
    () => `Bearer\t,\t${token}`,
    () => `${token}, Bearer`,
    () => `bearer, ${token}`,
    () => `Bearer, ${token}, ${token}`,
    () => token,
    () => `Bearer, ${token}\r\nSec-WebSocket-Protocol: Bearer, x`,
    () => `${'p,'.repeat(random.below(3_000))}Bearer, ${token}`,
  );
};

const KEYS = [
  '',
  'x',
  'AAAAAAAAAAAAAAAAAAAAAA==',
  'AAAAAAAAAAAAAAAAAAAAAAA=',
  'A'.repeat(9_000),
  '=',
  'AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Key: x',
];
const VERSIONS = ['8', '12', '14', '0', '', '13, 8', '013', '-13', 'x', '13\r\nSec-WebSocket-Version: 13'];
const MORE = [
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99; x="\\\\',
  'Sec-WebSocket-Extensions: ,;=',
  'Content-Length: 10',
  'Transfer-Encoding: chunked',
  'Origin: https://a.test',
  'Origin: null',
  'Upgrade: h2c',
  'Connection: keep-alive',
  'Expect: 100-continue',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  `X-Long: ${'x'.repeat(15_000)}`,
];
