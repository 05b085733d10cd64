import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { LogFields, LogFunction, Logger, LogLevel } from './logger.js';

/**
 * What this code logs through: a method for each level, which is undefined while that level goes nowhere. Called with
 * `?.`, a line that nobody reads costs neither its fields nor its sentence. Nothing that it does throws.
 *
 * @example
 * ```ts
 * log.debug?.({ operations: operations.length }, 'Changes are stored.');
 * ```
 */
export interface Log {
  readonly debug: LogMethod | undefined;
  readonly info: LogMethod | undefined;
  readonly warn: LogMethod | undefined;
  readonly error: LogMethod | undefined;
  /**
   * One that adds these fields to each line. They are read when a line is written, so a getter, or a function that gives
   * them, tells what is true then. Of what there are many of, a function is smaller.
   */
  with(fields: LogFields | (() => LogFields)): Log;
}

/** Writes a line: what it is about, and a constant sentence. */
export type LogMethod = (fields: LogFields, message: string) => void;

/**
 * Make what an app gave as its logger safe and quiet.
 *
 * @param logger An object such as pino, or a function. Undefined: nothing is logged.
 * @param logLevel The least level that is logged. Default: where the logger says what it takes (`isLevelEnabled`), all
 *   of that; else `'info'`.
 * @throws `VerdantError` (5010) where either is something else.
 */
export function createLog(logger: Logger | LogFunction | undefined, logLevel?: LogLevel): Log {
  if (logLevel !== undefined && !LEVELS.includes(logLevel)) {
    throw wrong(`logLevel: it has to be one of ${LEVELS.join(', ')}; it is ${JSON.stringify(logLevel)}.`);
  }
  if (logger === undefined) return SILENT;
  return new BoundLog(typeof logger === 'function' ? functionSink(logger, logLevel) : sink(logger, logLevel));
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Where lines go. Neither method throws. */
interface Sink {
  takes(level: LogLevel): boolean;
  write(level: LogLevel, fields: LogFields, message: string): void;
}

class BoundLog implements Log {
  readonly #sink: Sink;
  readonly #fields: LogFields | (() => LogFields);
  readonly #parent: BoundLog | null;

  constructor(sink: Sink, fields: LogFields | (() => LogFields) = {}, parent: BoundLog | null = null) {
    this.#sink = sink;
    this.#fields = fields;
    this.#parent = parent;
  }

  get debug(): LogMethod | undefined {
    return this.#method('debug');
  }

  get info(): LogMethod | undefined {
    return this.#method('info');
  }

  get warn(): LogMethod | undefined {
    return this.#method('warn');
  }

  get error(): LogMethod | undefined {
    return this.#method('error');
  }

  with(fields: LogFields | (() => LogFields)): Log {
    return new BoundLog(this.#sink, fields, this);
  }

  #method(level: LogLevel): LogMethod | undefined {
    if (!this.#sink.takes(level)) return undefined;
    return (fields, message) => this.#sink.write(level, { ...this.#all(), ...fields }, message);
  }

  #all(): LogFields {
    const own = typeof this.#fields === 'function' ? this.#fields() : this.#fields;
    return this.#parent ? { ...this.#parent.#all(), ...own } : own;
  }
}

const SILENT: Log = {
  debug: undefined,
  info: undefined,
  warn: undefined,
  error: undefined,
  with: () => SILENT,
};

function functionSink(logger: LogFunction, logLevel: LogLevel = 'info'): Sink {
  const takes = atLeast(logLevel);
  return { takes, write: (...line) => safely(() => logger(line[0], line[2], line[1])) };
}

function sink(logger: Logger, logLevel: LogLevel | undefined): Sink {
  if (
    typeof logger !== 'object' ||
    logger === null ||
    LEVELS.some((level) => typeof logger[level] !== 'function')
  ) {
    throw wrong(
      `log: it has to be a function (level, message, fields), or an object with the methods ${LEVELS.join(', ')}, such as pino.`,
    );
  }
  const decides = typeof logger.isLevelEnabled === 'function';
  const isWanted = atLeast(logLevel ?? (decides ? 'debug' : 'info'));
  return {
    // One that fails to say gets the line.
    takes: (level) => isWanted(level) && (!decides || safely(() => logger.isLevelEnabled?.(level)) !== false),
    write: (level, fields, message) => void safely(() => logger[level](fields, message)),
  };
}

const atLeast = (least: LogLevel): ((level: LogLevel) => boolean) => {
  const wanted = new Set(LEVELS.slice(LEVELS.indexOf(least)));
  return (level) => wanted.has(level);
};

/** A logger that fails must not take anything with it. */
function safely(call: () => unknown): unknown {
  try {
    const done = call();
    // An app's logger may be asynchronous, whatever its type says.
    if (done instanceof Promise) done.catch(() => {});
    return done;
  } catch {
    // There is nobody left to tell.
    return undefined;
  }
}

const wrong = (problem: string): VerdantError => new VerdantError(VerdantErrorCode.Configuration, problem);
