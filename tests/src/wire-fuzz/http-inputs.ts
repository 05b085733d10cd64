import { gzipSync } from 'node:zlib';
import type { Aim, TcpInput } from './inputs.js';
import { messageText } from './message-inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';
import { goodToken } from './token-inputs.js';

/** One or several requests with a body, on one connection: right ones, almost right ones, halves. */
export function httpRequest(random: Random, aim: Aim): TcpInput {
  const count = random.chance(0.8) ? 1 : 2 + random.below(4);
  const isWhole = random.chance(0.5);
  const make = isWhole ? plainRequest : oddRequest;
  const requests = Array.from({ length: count }, (_, at) => make(random, aim, at === count - 1));
  const whole = Buffer.concat(requests);
  return random.one<TcpInput>(
    () => ({ kind: 'http', over: 'tcp', pieces: [whole], answers: count, isWhole }),
    () => ({ kind: 'http', over: 'tcp', pieces: requests, answers: count, isWhole }),
    () => ({
      kind: 'http, mutated',
      over: 'tcp',
      pieces: [mutated(random, whole)],
      answers: 1,
      isWhole: false,
    }),
    () => ({
      kind: 'http, half',
      over: 'tcp',
      pieces: [whole.subarray(0, random.below(whole.length))],
      answers: 0,
      isWhole: false,
    }),
  );
}

/** As clients send it, but for what its messages say. */
function plainRequest(random: Random, aim: Aim, isLast: boolean): Buffer {
  const messages = Array.from({ length: random.below(4) }, () => messageText(random, aim.replica));
  const body = Buffer.from(`{"messages":[${messages.join(',')}]}`);
  const lines = [
    'POST /verdant HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${goodToken(aim)}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...(isLast ? ['Connection: close'] : []),
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
}

function oddRequest(random: Random, aim: Aim, isLast: boolean): Buffer {
  const body = bodyOf(random, aim);
  const { headers, bytes } = framed(random, body);
  const lines = [
    `${random.pick(METHODS)} ${target(random)} ${random.pick(VERSIONS)}`,
    ...(random.chance(0.95) ? ['Host: localhost'] : []),
    ...(random.chance(0.9) ? [`Authorization: Bearer ${goodToken(aim)}`] : []),
    ...(random.chance(0.8) ? [`Content-Type: ${random.pick(TYPES)}`] : []),
    ...Array.from({ length: random.below(3) }, () => oddHeader(random)),
    ...headers,
    ...(isLast && random.chance(0.8) ? ['Connection: close'] : []),
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), bytes]);
}

function bodyOf(random: Random, { replica }: Aim): Buffer {
  const messages = Array.from({ length: random.below(4) }, () => messageText(random, replica));
  const text = random.one(
    () => `{"messages":[${messages.join(',')}]}`,
    () => `{"messages":[${messages.join(',')}]}`,
    () => `{"messages":${messages[0] ?? 'null'}}`,
    () => messages[0] ?? '',
    () => random.oddText(),
  );
  return random.one(
    () => Buffer.from(text),
    () => Buffer.from(text),
    () => Buffer.from(text, 'latin1'),
    () => Buffer.from(text, 'utf16le'),
    () => gzipSync(text),
    () => mutated(random, Buffer.from(text)),
  );
}

/** How long a body is said to be, which need not be so. */
function framed(random: Random, body: Buffer): { headers: string[]; bytes: Buffer } {
  const length = `Content-Length: ${body.length}`;
  return random.one(
    () => ({ headers: [length], bytes: body }),
    () => ({ headers: [length], bytes: body }),
    () => ({ headers: [length], bytes: body }),
    () => ({ headers: ['Transfer-Encoding: chunked'], bytes: chunked(random, body) }),
    () => ({ headers: ['Transfer-Encoding: chunked', length], bytes: chunked(random, body) }),
    () => ({ headers: [length, 'Content-Encoding: gzip'], bytes: body }),
    () => ({ headers: [length, `Content-Length: ${body.length + 1}`], bytes: body }),
    () => ({ headers: [`Content-Length: ${random.pick(LENGTHS)}`], bytes: body }),
    () => ({ headers: [`Transfer-Encoding: ${random.pick(CODINGS)}`], bytes: body }),
    () => ({ headers: [length, 'Expect: 100-continue'], bytes: body }),
    () => ({ headers: [], bytes: body }),
  );
}

function chunked(random: Random, body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  const length = 1 + random.below(Math.max(1, body.length));
  for (let at = 0; at < body.length; at += length) {
    const piece = body.subarray(at, at + length);
    const extension = random.chance(0.1) ? `;${random.oddText(40).replace(/[\r\n]/g, '')}` : '';
    pieces.push(
      Buffer.from(`${piece.length.toString(16)}${extension}\r\n`, 'latin1'),
      piece,
      Buffer.from('\r\n'),
    );
  }
  const trailer = random.chance(0.1) ? 'X-Trailer: x\r\n' : '';
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

function oddHeader(random: Random): string {
  return random.one(
    () => `${random.pick(NAMES)}: ${random.oddText().replace(/[\r\n\0]/g, '')}`,
    () => `X-Request-Id: ${random.pick(['a', 'x'.repeat(2_000), 'a b', '"', '\u00ff'])}`,
    () => `Origin: ${random.pick(['null', 'https://a.test', 'https://a.test/x', '*', ''])}`,
    () => `X-Long: ${'x'.repeat(random.below(20_000))}`,
    () => 'X-Folded: a\r\n b',
    () => Array.from({ length: random.below(300) }, (_, at) => `X-${at}: y`).join('\r\n') || 'X: y',
    () => `Expect: ${random.oddText(30).replace(/[\r\n\0]/g, '')}`,
  );
}

const METHODS = [
  'POST',
  'POST',
  'POST',
  'POST',
  'POST',
  'GET',
  'PUT',
  'HEAD',
  'OPTIONS',
  'DELETE',
  'PATCH',
  'TRACE',
  'post',
  'QUERY',
  'X'.repeat(99),
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.2',
  '',
];
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'multipart/form-data; boundary=b',
  ';',
  'a/b; x="\\\\\\\\\\\\\\\\',
];
const LENGTHS = ['-1', '+5', '0x5', '5, 5', '99999999999999999999', '', ' ', '1e3', '300000000'];
const CODINGS = ['chunked, identity', 'identity', 'gzip, chunked', 'xchunked', 'chunked\t', ''];
const NAMES = [
  'Accept',
  'Cookie',
  'Range',
  'If-None-Match',
  'X-Forwarded-Proto',
  'X-Forwarded-For',
  'Accept-Encoding',
  'TE',
  'Upgrade',
  'Via',
  'Access-Control-Request-Headers',
  'Sec-Fetch-Mode',
  'Host',
  '__proto__',
  'Content-Encoding',
];

const target = (random: Random): string =>
  random.one(
    () => '/verdant',
    () => '/verdant',
    () => '/verdant',
    () =>
      random.pick([
        '/verdant/',
        '/verdant//',
        '//verdant',
        '/verdant?x=y',
        '/verdant#x',
        '/Verdant',
        '/',
        '*',
        '',
      ]),
    () => `http://localhost${random.pick(['/verdant', ':99999/verdant', '', '/%'])}`,
    () => `/verdant/${random.oddText().replace(/[\s\0]/g, '')}`,
    () => `${'/'.repeat(random.below(4_000))}verdant${'/'.repeat(random.below(4_000))}`,
    () => `/verdant?${'a=b&'.repeat(random.below(2_000))}`,
  );
