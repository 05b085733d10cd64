import { expect, test } from 'vitest';
import { lineOf } from './log-line.js';

const TIME = new Date('2026-11-25T10:00:00Z');

test('a line is the time, the level, the sentence and its fields', () => {
  const fields = { libraryId: 'notes', replicaId: null, code: 4000, reason: 'two\nlines "quoted"' };
  expect(lineOf(TIME, 'info', 'A request is refused.', fields)).toBe(
    '2026-11-25T10:00:00.000Z info  A request is refused.  libraryId=notes code=4000 reason="two\\nlines \\"quoted\\""',
  );
});

test('an error follows with its stack and its cause', () => {
  const err = new Error('no disk', { cause: new Error('EIO') });
  const [line, ...rest] = lineOf(TIME, 'error', 'A request failed.', { err }).split('\n');
  expect(line).toBe('2026-11-25T10:00:00.000Z error A request failed.');
  expect(rest.join('\n')).toMatch(/^ {4}Error: no disk\n {8}at .*\[cause\]: Error: EIO/s);
});

test('nothing that somebody sent can end a line, or command a terminal', () => {
  const forged = '\u001b[2Jx\n2026-11-25T10:00:00.000Z info  All is well.\u2028\u009bK\u202e';
  const text = lineOf(TIME, 'info', 'A token is refused.', {
    reason: forged,
    list: [forged],
    err: new Error(forged),
  });
  const [line, ...rest] = text.split('\n');
  expect(line).toMatch(/^2026-11-25T10:00:00.000Z info {2}A token is refused\./);
  for (const part of rest) expect(part).toMatch(/^ {4}/);
  expect(text).not.toMatch(/[^\n\P{Cc}]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
});
