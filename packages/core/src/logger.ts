/** How much a line matters, least first: `debug`, `info`, `warn`, `error`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a line is about, by name: ids, counts, codes; `err` is an error. See `docs/logging.md` for those there are. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * A structured logger: a `pino` instance is one, and so is `console`.
 *
 * Messages are constant sentences; what varies is in the fields. Never is a line given a token, a secret, or what is in
 * a document, a presence or a file.
 *
 * @example
 * ```ts
 * import pino from 'pino';
 *
 * const core = createVerdant({ storage, tokenSecret, log: pino({ level: 'debug' }) });
 * ```
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Whether lines of this level go anywhere. Asked for each line, before it is made: a level may change at run time. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/**
 * A logger that is one function.
 *
 * @example
 * ```ts
 * const log: LogFunction = (level, message, fields) => console.log(level, message, fields);
 * ```
 */
export type LogFunction = (level: LogLevel, message: string, fields: LogFields) => void;
