import { inspect } from 'node:util';
import type { LogFields, LogFunction, LogLevel } from '@verdant-web/core';

/** Prints lines to standard error, for people to read. */
export const lineLog = (): LogFunction => (level, message, fields) => {
  process.stderr.write(`${lineOf(new Date(), level, message, fields)}\n`);
};

/** `2026-11-25T10:00:00.000Z info  A library is evicted.  libraryId=notes epoch=2`; an error follows on lines of its own. */
export const lineOf = (time: Date, level: LogLevel, message: string, fields: LogFields): string => {
  const { err, ...others } = fields;
  const words = Object.entries(others)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const line = [
    time.toISOString(),
    level.padEnd(5),
    message,
    ...(words.length > 0 ? ['', ...words] : []),
  ].join(' ');
  return err === undefined ? printable(line) : printable(line) + indented(inspect(err));
};

/** On lines of its own, none of which can be taken for one of the log. */
const indented = (text: string): string =>
  text
    .split('\n')
    .map((part) => `\n    ${printable(part)}`)
    .join('');

/** What a terminal would obey, or a reader take for the end of a line, is shown as an escape. */
const printable = (line: string): string =>
  line.replace(
    /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const textOf = (value: unknown): string =>
  typeof value === 'string' && !/^[\w.:/@-]+$/.test(value) ? JSON.stringify(value) : String(value);
