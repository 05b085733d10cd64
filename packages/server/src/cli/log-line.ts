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
  return err === undefined ? line : `${line}\n${inspect(err)}`;
};

const textOf = (value: unknown): string =>
  typeof value === 'string' && !/^[\w.:/@-]+$/.test(value) ? JSON.stringify(value) : String(value);
