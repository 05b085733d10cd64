import { parseArgs } from 'node:util';
import type { LogLevel } from '@verdant-web/core';

/** What the command was asked to do. */
export type CliCommand = { do: 'help' } | { do: 'version' } | { do: 'serve'; options: CliOptions };

export interface CliOptions {
  /** 0: any free port. */
  port: number;
  host: string;
  /** Of web pages elsewhere that may use the server, besides those of this machine. `*`: all. */
  origins: string[];
  secret: string;
  /** The SQLite database file. */
  database: string;
  /** The folder of uploaded files. */
  files: string;
  /** The least important messages that are shown. */
  log: LogLevel;
}

/** A mistake in how the command was called. Its message is all that the user has to see. */
export class UsageError extends Error {}

/** The port that `cliSync` of the client asks at when it is not told another. */
export const DEFAULT_PORT = 3242;

/** Signs tokens when no secret is given. Public: whoever reads this can make tokens. */
const INSECURE_SECRET = 'verdant-server-default-secret-known-to-everyone';

export const helpText = `verdant-server: a sync server for trying out Verdant, and for prototypes.
Not for production: it lets anyone be any user.

Options
  --port <number>      Where to listen. Default ${DEFAULT_PORT}. Also VERDANT_PORT.
  --host <name>        The name or address to listen on. Default localhost.
  --origin <origin>    Let only pages of this machine and of this origin, such as https://app.example.com, use it. May be
                       repeated. Default *: any page.
  --secret <text>      Signs access tokens, at least 16 bytes. Also VERDANT_SECRET. The default is known to everyone.
  --database <file>    Where libraries are kept. Default verdant.sqlite in the current folder.
  --files <folder>     Where uploaded files are kept. Default verdant-files in the current folder.
  --log [level]        What to tell: error, warn (the default), info, or debug (when no level is given).
  --help, --version
`;

/** Reads the arguments of the command. */
export const readCommand = (args: readonly string[], environment: NodeJS.ProcessEnv): CliCommand => {
  const values = parse(args);
  if (values.help) return { do: 'help' };
  if (values.version) return { do: 'version' };
  return {
    do: 'serve',
    options: {
      port: portOf(values.port ?? (environment.VERDANT_PORT || String(DEFAULT_PORT))),
      host: values.host ?? 'localhost',
      origins: (values.origin ?? ['*']).map(originOf),
      secret: values.secret ?? (environment.VERDANT_SECRET || INSECURE_SECRET),
      database: values.database ?? 'verdant.sqlite',
      files: values.files ?? 'verdant-files',
      log: logLevelOf(values.log ?? 'warn'),
    },
  };
};

/** Whether tokens are signed with what everyone knows. */
export const isInsecure = ({ secret }: CliOptions): boolean => secret === INSECURE_SECRET;

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

const parse = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: withLogLevel(args),
      options: {
        port: text,
        host: text,
        origin: { ...text, multiple: true },
        secret: text,
        database: text,
        files: text,
        log: text,
        help: { ...flag, short: 'h' },
        version: { ...flag, short: 'v' },
      },
    });
    return values;
  } catch (error) {
    // Its first sentence says what is wrong; the others are about options that do not apply here.
    const [sentence = ''] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${sentence.replace(/\.$/, '')}. See verdant-server --help.`);
  }
};

/** The level may be left out, which `parseArgs` does not know of an option with a value. */
const withLogLevel = (args: readonly string[]): string[] =>
  args.map((arg, index) =>
    arg === '--log' && !LOG_LEVELS.includes(args[index + 1] ?? '') ? '--log=debug' : arg,
  );

const portOf = (text: string): number => {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`The port must be a number from 0 to 65535, not "${text}".`);
  return port;
};

const originOf = (text: string): string => {
  if (text === '*') return text;
  const origin = URL.canParse(text) ? new URL(text).origin : 'null';
  if (origin === 'null' || `${origin}/` !== new URL(text).href) {
    throw new UsageError(`The origin must be like https://app.example.com, or *, not "${text}".`);
  }
  return origin;
};

const logLevelOf = (text: string): LogLevel => {
  if (!LOG_LEVELS.includes(text))
    throw new UsageError(`The log level must be one of ${LOG_LEVELS.join(', ')}.`);
  return text as LogLevel;
};
