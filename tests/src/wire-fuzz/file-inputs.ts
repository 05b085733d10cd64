import type { Aim, TcpInput } from './inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';
import { goodToken } from './token-inputs.js';

/** A GET of a file, or of what is known of one. */
export function fileGet(random: Random, aim: Aim): TcpInput {
  const path = random.one(
    () => aim.filePath,
    () => aim.filePath,
    () => mutated(random, Buffer.from(aim.filePath)).toString('latin1'),
    () => `/files/${random.pick(TRAVERSALS)}`,
    () => `${aim.filePath}/../${random.pick(TRAVERSALS)}`,
    () => `/verdant/files/${random.pick(['file-1', 'nothing', ...TRAVERSALS])}`,
  );
  const head = [
    `${random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS'])} ${path.replace(/[\s\0]/g, '')} HTTP/1.1`,
    'Host: localhost',
    ...(random.chance(0.5) ? [`Authorization: Bearer ${goodToken(aim)}`] : []),
    ...(random.chance(0.6) ? [`Range: ${range(random)}`] : []),
    ...(random.chance(0.2)
      ? [`If-None-Match: ${random.pick(['*', '"x"', 'W/"x"', ','.repeat(9_000), ''])}`]
      : []),
    ...(random.chance(0.2) ? [`If-Range: ${random.pick(['"x"', 'Thu, 01 Jan 1970 00:00:00 GMT', ''])}`] : []),
    ...(random.chance(0.2)
      ? [`If-Modified-Since: ${random.pick(['x', '0', '9'.repeat(99), 'Thu, 01 Jan 2099 00:00:00 GMT'])}`]
      : []),
    'Connection: close',
    '',
    '',
  ].join('\r\n');
  return { kind: 'file', over: 'tcp', pieces: [Buffer.from(head, 'latin1')], answers: 1, isWhole: true };
}

const range = (random: Random): string =>
  random.one(
    () => `bytes=${random.below(20)}-${random.below(20)}`,
    () => `bytes=-${random.below(100)}`,
    () => `bytes=${Array.from({ length: random.below(900) }, (_, at) => `${at}-${at}`).join(',')}`,
    () =>
      random.pick(['bytes=', 'bytes=-', 'bytes=a-b', 'items=0-1', 'bytes=--1', `bytes=${'9'.repeat(99)}-`]),
    () => `bytes=${' '.repeat(random.below(9_000))}1-2${' '.repeat(random.below(3_000))}x`,
  );

const TRAVERSALS = [
  '../verdant.sqlite',
  '..%2fverdant.sqlite',
  '%2e%2e/%2e%2e/etc/passwd',
  '....//etc/passwd',
  '..\\..\\x',
  '%00',
  '%',
  '%ff',
  '__proto__/constructor',
  '/etc/passwd',
  'a/b/c/d',
  '.',
  '',
  'x'.repeat(5_000),
  '?signature=x&expires=99999999999999',
];
