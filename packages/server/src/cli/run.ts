import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { createLog, createVerdant, type Verdant } from '@verdant-web/core';
import { LocalFileStorage } from '@verdant-web/files-local';
import { closeOnSignals, createNodeWebsocketHandler } from '@verdant-web/node';
import { VerdantError } from '@verdant-web/protocol';
import { sqlStorage } from '@verdant-web/storage-sqlite';
import { TokenProvider } from '@verdant-web/tokens';
import type { Hono } from 'hono';
import { createCliApp } from './app.js';
import { prepareFolders } from './folders.js';
import { guestList } from './guest-list.js';
import { listen } from './listen.js';
import { lineLog } from './log-line.js';
import { type CliOptions, helpText, readCommand, UsageError } from './options.js';
import { originOf, startUpText } from './start-up-text.js';

/** How the command was called. */
export interface CliCall {
  args: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The package's own, for its version. */
  packageFile: URL;
}

/** The command `verdant-server`. Returns when it serves; ends the process where it cannot. */
export const runCli = async ({ args, environment, packageFile }: CliCall): Promise<void> => {
  try {
    const command = readCommand(args, environment);
    if (command.do === 'help') process.stdout.write(helpText);
    else if (command.do === 'version') process.stdout.write(`${versionIn(packageFile)}\n`);
    else await serve(command.options);
  } catch (error) {
    process.stderr.write(`verdant-server: ${problemOf(error)}\n`);
    process.exit(1);
  }
};

const serve = async (options: CliOptions) => {
  const log = createLog(lineLog(), options.log);
  const tokens = new TokenProvider({
    secret: options.secret,
    log: (_level, message, fields) => log.warn?.(fields, message),
  });
  await prepareFolders(options);
  // Listens first: another server on this port most likely has the same database open, and the port is what to tell of.
  let app: Hono | undefined;
  const { servers, port } = await listen(
    () => createAdaptorServer({ fetch: (request, env) => app?.fetch(request, env) ?? starting() }) as Server,
    options,
  ).catch((error: unknown) => {
    throw listenProblem(error, options);
  });
  const origin = originOf(options.host, port);

  const core = await openCore(options, origin);
  const guests = guestList(options);
  app = createCliApp({ core, tokens, guests });
  const upgrade = createNodeWebsocketHandler(core, {
    path: '/verdant',
    otherPaths: 'refuse',
    allowedOrigins: (page) => guests.allowsOrigin(page),
  });
  for (const server of servers) server.on('upgrade', upgrade);
  closeOnSignals({ server: servers, core });
  process.stdout.write(startUpText(options, { origin, port }));
};

const openCore = async (
  { database, files, secret, log: logLevel }: CliOptions,
  origin: string,
): Promise<Verdant> => {
  const log = createLog(lineLog(), logLevel);
  const storage = sqlStorage({
    databaseFile: database,
    log: (level, message, fields) => log[level]?.(fields, message),
  });
  // Opens the database now, so that one that is damaged or in use is told of at start.
  for await (const _ of storage.list()) break;
  return createVerdant({
    storage,
    tokenSecret: secret,
    fileStorage: new LocalFileStorage({ rootDirectory: files, host: `${origin}/files` }),
    log: lineLog(),
    logLevel,
  });
};

const starting = () => new Response(null, { status: 503, headers: { 'Retry-After': '1' } });

const listenProblem = (error: unknown, { port, host }: CliOptions): unknown => {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new UsageError(
        `Port ${port} is in use. Stop what listens there, or choose another with --port.`,
      );
    case 'EACCES':
      return new UsageError(`Port ${port} may not be used by this user. Choose another with --port.`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return new UsageError(`This machine has no address ${host} to listen on. --host sets another.`);
    default:
      return error;
  }
};

/** One line for what the user can mend; all that is known for what only we can. */
const problemOf = (error: unknown): string => {
  if (error instanceof UsageError || error instanceof VerdantError)
    return error.message.replaceAll('\n', ' ');
  return error instanceof Error && 'code' in error
    ? error.message
    : String(error instanceof Error ? error.stack : error);
};

const versionIn = (packageFile: URL): string =>
  (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
