import type { Verdant } from '@verdant-web/core';
import { createHttpRouter, credentialedCors, errorAnswer, serveFiles } from '@verdant-web/http';
import { isReplicaType, ReplicaType, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { TokenProvider } from '@verdant-web/tokens';
import { type Context, Hono } from 'hono';
import type { GuestList } from './guest-list.js';

/** The parts of {@link createCliApp}. */
export interface CliAppParts {
  core: Verdant;
  tokens: TokenProvider;
  guests: GuestList;
}

/** The app around the sync router: issues tokens to whoever asks, and serves uploaded files. */
export const createCliApp = ({ core, tokens, guests }: CliAppParts): Hono => {
  const allowedOrigins = (origin: string) => guests.allowsOrigin(origin);
  return new Hono()
    .use(credentialedCors({ allowedOrigins }), async (c, next) => {
      if (!guests.allowsHost(hostOf(c))) throw unknownName();
      await next();
    })
    .route('/verdant', createHttpRouter(core, { allowedOrigins }))
    .get('/auth/:libraryId', (c) =>
      c.json({ accessToken: tokenFor(c, tokens) }, 200, { 'Cache-Control': 'no-store' }),
    )
    .route('/files', serveFiles(core, { allowedOrigins }))
    .get('/', (c) =>
      c.text('This is verdant-server. Clients sync at /verdant, with a token from /auth/<library id>.\n'),
    )
    .notFound((c) =>
      errorAnswer(c, new VerdantError(VerdantErrorCode.NotFound, 'There is nothing here.'), core.log),
    )
    .onError((error, c) => errorAnswer(c, error, core.log));
};

const tokenFor = (c: Context, tokens: TokenProvider): string => {
  const userId = c.req.query('userId');
  if (!userId) throw invalid('Say who you are, as in /auth/my-library?userId=me.');
  try {
    return tokens.getToken({
      libraryId: c.req.param('libraryId') ?? '',
      userId,
      type: replicaTypeOf(c.req.query('type')),
      syncEndpoint: `${originOf(c)}/verdant`,
      expiresIn: '1d',
    });
  } catch (error) {
    // What it finds wrong with its input is the caller's to mend here.
    throw error instanceof TypeError ? invalid(error.message) : error;
  }
};

const replicaTypeOf = (text: string | undefined): ReplicaType => {
  const type = text ? Number(text) : ReplicaType.Realtime;
  if (!isReplicaType(type)) throw invalid('The type must be a replica type, a number from 0 to 5.');
  return type;
};

/** The server as this client reaches it: under whatever name and port, and through whatever tunnel. */
const originOf = (c: Context): string => {
  const host = hostOf(c);
  const isSecure = c.req.header('x-forwarded-proto') === 'https' || c.req.url.startsWith('https:');
  const text = `${isSecure ? 'https' : 'http'}://${host}`;
  const url = /^[\w.:[\]-]+$/.test(host) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw invalid('The Host header names no host.');
  return url.origin;
};

const hostOf = (c: Context): string => c.req.header('host') ?? new URL(c.req.url).host;

const unknownName = () =>
  new VerdantError(
    VerdantErrorCode.Forbidden,
    'This server is not known under this name. Its option --origin, with the address that you asked for, makes it known.',
  );

const invalid = (message: string) => new VerdantError(VerdantErrorCode.InvalidRequest, message);
