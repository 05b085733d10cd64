import { CANARIES } from '../abuse/canaries.js';
import type { Aim, TcpInput } from './inputs.js';
import { mutated } from './mutate.js';
import type { Random } from './random.js';
import { goodToken } from './token-inputs.js';

/** An upload: a form that is right, or wrong in what separates, names, nests and ends its parts. */
export function upload(random: Random, aim: Aim): TcpInput {
  const boundary = random.chance(0.8) ? '----b' : random.pick(BOUNDARIES);
  const right = form(random, boundary);
  const body = random.one(
    () => right,
    () => right,
    () => mutated(random, right),
    () => right.subarray(0, random.below(right.length)),
  );
  const { lengths, answers } = lengthsOf(random, body);
  const head = [
    `POST /verdant/files/${fileId(random)} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${goodToken(aim)}`,
    `Content-Type: ${contentType(random, boundary)}`,
    ...lengths,
    'Connection: close',
    '',
    '',
  ].join('\r\n');
  const pieces = [Buffer.from(head, 'latin1'), body];
  return { kind: 'upload', over: 'tcp', pieces, answers, isWhole: answers > 0 };
}

function form(random: Random, boundary: string): Buffer {
  const eol = random.chance(0.9) ? '\r\n' : random.pick(['\n', '\r', '\r\r\n']);
  const parts = Array.from({ length: random.chance(0.8) ? 1 : random.below(130) }, (_, at) => {
    const name =
      at === 0 || random.chance(0.2) ? 'file' : random.pick(['other', '', 'fil', 'FILE', '__proto__']);
    const headers = [
      `Content-Disposition: ${random.pick(['form-data', 'form-data', 'form-data', 'attachment', ''])}; name="${name}"${fileName(random)}`,
      ...(random.chance(0.7) ? [`Content-Type: ${random.pick(TYPES)}`] : []),
      ...(random.chance(0.1)
        ? [`X-Long:${random.pick([' ', 'x', '\t', ';a="']).repeat(random.below(8_000))}x`]
        : []),
      ...(random.chance(0.1) ? ['Content-Transfer-Encoding: base64'] : []),
    ];
    return `--${boundary}${eol}${headers.join(eol)}${eol}${eol}${content(random, boundary)}${eol}`;
  });
  const end = random.pick(['--', '--', '--', '--', '', '-', '--x', '--\r\nepilogue']);
  const preamble = random.chance(0.1) ? random.oddText() : '';
  return Buffer.from(`${preamble}${parts.join('')}--${boundary}${end}${eol}`, 'latin1');
}

const content = (random: Random, boundary: string): string =>
  random.one(
    () => `${CANARIES.attacker} ${random.oddText()}`,
    () => '',
    () => '<svg onload=alert(1)>',
    () => `\r\n--${boundary.slice(0, -1)}\r\n`,
    () => `\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="second"\r\n\r\nx`,
    () => 'x'.repeat(random.below(40_000)),
    () => `Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--`,
  );

const fileName = (random: Random): string =>
  random.one(
    () => '; filename="a.txt"',
    () => '',
    () => `; filename="${random.oddText().replaceAll('"', '')}"`,
    () => `; filename="${'\\'.repeat(random.below(80))}`,
    () => `; filename=${random.oddText()}`,
    () => `; filename*=UTF-8''${random.oddText()}`,
    () => '; filename="../../../../etc/passwd"',
    () => `; filename="${'n'.repeat(random.below(20_000))}"`,
    () => ';'.repeat(random.below(5_000)),
  );

const contentType = (random: Random, boundary: string): string =>
  random.one(
    () => `multipart/form-data; boundary=${boundary}`,
    () => `multipart/form-data; boundary="${boundary}"`,
    () => `multipart/form-data; charset=x; boundary=${boundary}`,
    () => `multipart/form-data; boundary="${'\\'.repeat(random.below(100))}`,
    () => `multipart/form-data; boundary=${boundary}; boundary=x`,
    () =>
      random.pick([
        'multipart/form-data',
        'multipart/mixed; boundary=b',
        'text/plain',
        '',
        'multipart/form-data;;;=',
      ]),
  );

function lengthsOf(random: Random, body: Buffer): { lengths: string[]; answers: number } {
  return random.one(
    () => ({ lengths: [`Content-Length: ${body.length}`], answers: 1 }),
    () => ({ lengths: [`Content-Length: ${body.length}`], answers: 1 }),
    () => ({ lengths: [`Content-Length: ${body.length + 1 + random.below(1_000)}`], answers: 0 }),
    () => ({ lengths: [`Content-Length: ${random.below(body.length + 1)}`], answers: 1 }),
    () => ({ lengths: [`Content-Length: ${2 ** 31 + random.below(1_000)}`], answers: 1 }),
  );
}

const fileId = (random: Random): string =>
  random.pick([
    'file-1',
    'file-2',
    '..%2f..%2fx',
    '%00',
    'a'.repeat(600),
    '__proto__',
    '%',
    '.',
    encodeURIComponent(random.oddText()),
  ]);

const BOUNDARIES = ['', ' ', 'a b', '--', "'()+_,-./:=?", 'x'.repeat(70), 'x'.repeat(71), '\u00e9'];
const TYPES = [
  'image/png',
  'text/html',
  'text/plain; charset=x',
  'x',
  `a/${'b'.repeat(300)}`,
  `text/plain;${' '.repeat(200)}x`,
  '',
];
