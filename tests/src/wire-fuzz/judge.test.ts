import { describe, expect, test } from 'vitest';
import { CANARIES } from '../abuse/canaries.js';
import { SECRET } from '../server.js';
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

test.each([
  [{ messages: ['{"type":"heartbeat-response"}'], close: undefined }, true],
  [{ messages: [], close: { code: 4000, reason: 'This frame is malformed.' } }, true],
  [{ messages: [], close: { code: 1013, reason: 'Try again later.' } }, true],
  [{ messages: [], close: { code: 1011, reason: 'Something went wrong.' } }, false],
  [{ messages: [], close: { code: 4000, reason: '' } }, false],
  [{ messages: ['nonsense'], close: undefined }, false],
  [{ messages: [`{"type":"op-re","x":"${CANARIES.private}"}`], close: undefined }, false],
])('what is said on a socket: %j', (said, isProper) => {
  expect(problemsOfSocket(said).length === 0).toBe(isProper);
});
