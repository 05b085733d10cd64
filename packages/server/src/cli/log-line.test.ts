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
  expect(rest.join('\n')).toMatch(/^Error: no disk\n {4}at .*\[cause\]: Error: EIO/s);
});
