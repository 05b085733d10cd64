import type { Log, OpenedFile, Verdant } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { type Context, Hono } from 'hono';
import { baseRoutePath } from 'hono/route';
import { type AllowedOrigins, originCheck } from './allowed-origins.js';
import { type ByteRange, readRange } from './byte-range.js';
import { allowCrossOrigin, preflightAnswer } from './cors.js';
import { errorAnswer } from './error-answer.js';
import { fileHeaders } from './file-headers.js';
import { requestLog } from './request-log.js';
import { segmentsOf } from './route.js';

/** Options of {@link serveFiles}. */
export interface ServeFilesOptions {
  /**
   * Which web pages may read files, by their origin. Default: all, since whoever has the URL has the file. Name those of
   * your app where a middleware in front knows users by their cookies, which browsers send along.
   */
  allowedOrigins?: AllowedOrigins;
  /**
   * How long a browser may keep a file without asking again, in seconds; never longer than a signed URL works. A file's
   * bytes hardly ever change, since a client gives each file an id of its own, but they may be deleted. Default: a day.
   */
  maxAgeSeconds?: number;
}

/** What {@link serveFiles} needs: a `Verdant` is one. */
export interface FileSource {
  readonly files: Pick<Verdant['files'], 'open'>;
  readonly log: Log;
}

/**
 * Serves uploaded files, to be mounted where the `host` of your file storage points. In place of a static file server: it
 * knows a file's type and name, lets nothing that a stranger uploaded run as a page of yours, answers ranges and
 * conditional requests, and checks signed URLs.
 *
 * Whoever has the URL gets the file. Put a middleware of your own in front where that is too much, or sign URLs.
 *
 * @throws {VerdantError} Configuration (5010) where the core's file storage cannot give bytes back, or `allowedOrigins`
 *   holds what no browser sends.
 *
 * @example
 * ```ts
 * const core = createVerdant({
 *   fileStorage: new LocalFileStorage({ rootDirectory: 'verdant-files', host: 'https://example.com/files' }),
 *   // …
 * });
 * const app = new Hono().route('/verdant', createHttpRouter(core)).route('/files', serveFiles(core));
 * ```
 */
export function serveFiles(core: FileSource, options: ServeFilesOptions = {}): Hono {
  const { open } = core.files;
  if (!open) throw cannotServe();
  const isAllowed = originCheck(options.allowedOrigins);
  const router = new Hono();
  router.all('*', async (c) => {
    allowCrossOrigin(c, isAllowed);
    if (c.req.method === 'OPTIONS') return preflightAnswer(c);
    try {
      if (c.req.method !== 'GET' && c.req.method !== 'HEAD') throw nothingHere();
      return await answer(c, await open(pathBelow(c)), options);
    } catch (error) {
      c.header('Cache-Control', 'no-store');
      return errorAnswer(c, error, requestLog(c, core.log));
    }
  });
  return router;
}

/** What is behind the path where the router is mounted, with the query. */
const pathBelow = (c: Context): string => {
  const { pathname, search } = new URL(c.req.url);
  const mounted = segmentsOf(baseRoutePath(c)).length;
  return `/${segmentsOf(pathname).slice(mounted).join('/')}${search}`;
};

const DAY_SECONDS = 86_400;

const answer = async (
  c: Context,
  file: OpenedFile,
  { maxAgeSeconds = DAY_SECONDS }: ServeFilesOptions,
): Promise<Response> => {
  const etag = `"${file.version}"`;
  const lastModified = new Date(file.modifiedAt).toUTCString();
  const left = file.expiresAt === null ? maxAgeSeconds : (file.expiresAt - Date.now()) / 1000;
  // `private`, for a cache in between would hand it to people whom nobody gave the URL to.
  c.header('Cache-Control', `private, max-age=${Math.max(0, Math.floor(Math.min(maxAgeSeconds, left)))}`);
  c.header('ETag', etag);
  c.header('Last-Modified', lastModified);
  if (isUnchanged(c, etag, lastModified)) {
    await file.close();
    return c.body(null, 304);
  }

  c.header('Accept-Ranges', 'bytes');
  const range = wantedRange(c, file.size, etag, lastModified);
  if (range === 'unsatisfiable') {
    await file.close();
    c.header('Content-Range', `bytes */${file.size}`);
    return c.body(null, 416);
  }
  for (const [name, value] of Object.entries(fileHeaders(file))) c.header(name, value);
  c.header('Content-Length', String(range ? range.to + 1 - range.from : file.size));
  if (range) c.header('Content-Range', `bytes ${range.from}-${range.to}/${file.size}`);
  const status = range ? 206 : 200;
  if (c.req.method === 'HEAD') {
    await file.close();
    return c.body(null, status);
  }
  return c.body(file.read(range ?? undefined) as ReadableStream<Uint8Array<ArrayBuffer>>, status);
};

const isUnchanged = (c: Context, etag: string, lastModified: string): boolean => {
  const known = c.req.header('if-none-match');
  if (known !== undefined) {
    return known.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
  }
  const since = Date.parse(c.req.header('if-modified-since') ?? '');
  return Date.parse(lastModified) <= since;
};

/** A range counts only for GET, and only where it is of the bytes that the client has the rest of. */
const wantedRange = (
  c: Context,
  size: number,
  etag: string,
  lastModified: string,
): ByteRange | null | 'unsatisfiable' => {
  const condition = c.req.header('if-range');
  const isSame = condition === undefined || condition === etag || condition === lastModified;
  return c.req.method === 'GET' && isSame ? readRange(c.req.header('range'), size) : null;
};

const nothingHere = () => new VerdantError(VerdantErrorCode.NotFound, 'Files can only be read here.');

const cannotServe = () =>
  new VerdantError(
    VerdantErrorCode.Configuration,
    'serveFiles needs a fileStorage that can give bytes back: one with a method open, such as LocalFileStorage. ' +
      'Other storages serve the URLs that their getUrl makes themselves.',
  );
