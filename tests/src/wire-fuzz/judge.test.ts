import { describe, expect, test } from 'vitest';
import { CANARIES } from '../abuse/canaries.js';
import { SECRET } from '../server.js';
import { CLOSE, frame } from '../wire-rules/raw-socket.js';
import type { TcpInput } from './inputs.js';
import { problemsOfAnswers, problemsOfSocket } from './judge.js';

/* The fuzz would find nothing at all with a judge that lets everything pass. */
const input: TcpInput = { kind: 'http', over: 'tcp', pieces: [], answers: 1, isWhole: true };
const answer = (status: number, body: string, more = '') =>
  `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
const judged = (text: string, { ended = true, gaveUp = false, ...more } = {}) =>
  problemsOfAnswers({ ...input, ...more }, { text, ended, gaveUp });
const error = (code: number) => JSON.stringify({ code, message: 'Say why.' });

describe('an answer', () => {
  test.each([
    ['that succeeds', answer(200, '{"messages":[]}')],
    ['that refuses', answer(400, error(4000))],
    ['"not now", with a time', answer(503, error(5030), 'Retry-After: 5\r\n')],
    ["of Node's own parser", 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['to each of two requests', answer(400, error(4000)) + answer(404, error(4040))],
  ])('%s is proper', (_, text) => {
    expect(judged(text)).toEqual([]);
  });

  test.each([
    ['of an unexpected error', answer(500, error(5000))],
    ['"not now" without a time', answer(503, error(5030))],
    ['without an error object', answer(404, 'Not Found')],
    ['whose code is not its status', answer(400, error(4011))],
    ['that stops clients', answer(429, error(4290))],
    ['that is half of one', answer(200, '{"messages":[]}').slice(0, -3)],
    ['that is a second one, and wrong', answer(400, error(4000)) + answer(500, error(5000))],
    ['with the secret', answer(200, SECRET)],
    ["with what is somebody else's", answer(200, `{"messages":["${CANARIES.elsewhere}"]}`)],
    ['with a stack', answer(400, JSON.stringify({ code: 4000, message: 'at handle (/app/x.js:1:2)' }))],
  ])('%s is not', (_, text) => {
    expect(judged(text)).not.toEqual([]);
  });

  test('that lets a forged token in, or never ends, is not', () => {
    expect(judged(answer(200, '{"messages":[]}'), { forged: true } as object)).not.toEqual([]);
    expect(judged('HTTP/1.1 101 Switching Protocols\r\n\r\n', { forged: true } as object)).not.toEqual([]);
    expect(judged(answer(401, error(4011)), { forged: true } as object)).toEqual([]);
    expect(judged('', { ended: false })).not.toEqual([]);
  });
});

const said = (code: number, reason: string) => ({ messages: [], close: { code, reason } });
const nothing = Buffer.alloc(0);

test.each([
  [{ messages: ['{"type":"heartbeat-response"}'], close: undefined }, true],
  [said(4000, 'This frame is malformed.'), true],
  [said(1013, 'Try again later.'), true],
  [said(1011, 'Something went wrong.'), false],
  [said(4000, ''), false],
  [said(1000, ''), false],
  [{ messages: ['nonsense'], close: undefined }, false],
  [{ messages: [`{"type":"op-re","x":"${CANARIES.private}"}`], close: undefined }, false],
])('what is said on a socket: %j', (what, isProper) => {
  expect(problemsOfSocket(what, nothing).length === 0).toBe(isProper);
});

describe('a close that is no refusal of ours', () => {
  const closing = (code: number, reason: string) =>
    frame(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), { opcode: CLOSE });
  const isProper = (code: number, reason: string, ...sent: Buffer[]) =>
    problemsOfSocket(said(code, reason), Buffer.concat(sent)).length === 0;
  const whole = frame('{"type":"heartbeat"}');
  const long = frame('x'.repeat(300));
  const longest = frame('x'.repeat(70_000));

  test.each([
    ['with a code and a reason', 3098, 'bye', [closing(3098, 'bye')]],
    ['with a code', 1011, '', [closing(1011, '')]],
    ['without a code', 1005, '', [frame('', { opcode: CLOSE })]],
    ['behind other frames', 3080, 'x', [whole, long, longest, closing(3080, 'x'), whole]],
  ])("is proper where it is the sender's own, %s", (_, code, reason, sent) => {
    expect(isProper(code, reason, ...sent)).toBe(true);
  });

  test.each([
    ['nobody sent one', 3098, '', [whole, long]],
    ['another code was sent', 1011, '', [closing(3098, '')]],
    ['another reason was sent', 3098, 'why', [closing(3098, 'bye')]],
    ['another one was sent first', 3098, '', [closing(1000, ''), closing(3098, '')]],
    ['it is the text of a frame', 3098, '', [frame(closing(3098, ''))]],
    ['it is cut off', 3098, 'bye', [closing(3098, 'bye').subarray(0, -1)]],
    [
      'it is not as clients send it',
      3098,
      '',
      [frame(Buffer.from([12, 26]), { opcode: CLOSE, masked: false })],
    ],
    ['it is behind what is no frame', 3098, '', [frame('x', { reserved: 1 }), closing(3098, '')]],
  ])('is improper where %s', (_, code, reason, sent) => {
    expect(isProper(code, reason, ...sent)).toBe(false);
  });
});
