import type { Random } from './random.js';

/** What is right becomes almost right: one to three small changes of its bytes. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let changed = bytes;
  for (let times = 1 + random.below(3); times > 0; times--) changed = once(random, changed);
  return changed;
}

function once(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(12));
  const around = (middle: Buffer, from = at) =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(from)]);
  return random.one(
    () => around(random.bytes(1 + random.below(4))),
    () => around(random.bytes(to - at), to),
    () => around(Buffer.from(random.pick(PIECES), 'latin1')),
    () => around(Buffer.alloc(0), to),
    () => around(bytes.subarray(at, to)),
    () => around(Buffer.concat(Array.from({ length: 2 + random.below(300) }, () => bytes.subarray(at, to)))),
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
  );
}

const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\r\n\r\n',
  ' ',
  '\t',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '-',
  '1e999',
  '\\ud800',
  '\xff\xfe',
  '\xef\xbb\xbf',
  '--',
  '%00',
  '\r\nContent-Length: 0',
  '\r\nTransfer-Encoding: chunked',
  '\r\n0\r\n\r\n',
];
