import { createLog, type LogFunction, type Logger, type OpenedFile } from '@verdant-web/core';
import { errorAnswer, type ServeFilesOptions, serveFiles } from '@verdant-web/http';
import { type LibraryId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { Hono } from 'hono';
import { belowMount } from './below-mount.js';
import { bindingNameOf, bindingOf } from './binding.js';
import { describedBy } from './file-metadata.js';
import type { Bucket } from './r2-platform.js';
import { readObject } from './read-object.js';

/** Options of {@link serveR2Files}. */
export interface ServeR2FilesOptions extends ServeFilesOptions {
  /** The binding of the bucket that the `R2FileStorage` of your objects puts files into. */
  bucketBindingName: string;
  /** The same as of the `R2FileStorage`. Default: nothing. */
  prefix?: string;
  /** Receives what goes wrong, a bucket that fails above all. Default: nothing is logged. */
  log?: LogFunction | Logger;
}

/**
 * Serves the files of an `R2FileStorage`, to be mounted where its `host` points. Lets nothing that a stranger uploaded run as
 * a page of yours, answers ranges and conditional requests, and wakes no Durable Object.
 *
 * Whoever has the URL gets the file. Put a middleware of your own in front where that is too much.
 *
 * @throws {VerdantError} Configuration (5010) where `bucketBindingName` is missing, or `allowedOrigins` holds what no
 *   browser sends.
 *
 * @example
 * ```ts
 * app.route('/files', serveR2Files({ bucketBindingName: 'FILES' }));
 * ```
 */
export function serveR2Files({
  bucketBindingName,
  prefix = '',
  log: told,
  ...options
}: ServeR2FilesOptions): Hono {
  const name = bindingNameOf(bucketBindingName, 'bucketBindingName');
  const log = createLog(told, undefined);
  const servers = new WeakMap<Bucket, Hono>();
  const serverFor = (bucket: Bucket): Hono => {
    const known = servers.get(bucket);
    if (known) return known;
    const server = serveFiles({ files: { open: (path) => openPath(bucket, prefix, path) }, log }, options);
    servers.set(bucket, server);
    return server;
  };
  // What is wrong with the options shows at start.
  serveFiles({ files: { open: () => Promise.reject(noSuchFile()) }, log }, options);

  const app = new Hono();
  app.all('*', async (c) => {
    try {
      return await serverFor(bindingOf<Bucket>(c.env, name, 'an R2 bucket')).fetch(belowMount(c));
    } catch (error) {
      return errorAnswer(c, error, log);
    }
  });
  return app;
}

async function openPath(bucket: Bucket, prefix: string, path: string): Promise<OpenedFile> {
  // Longer than any key is, the bucket would call it an error.
  const [, library, id] = /^\/([\w.~-]{1,128})\/([\w.~-]{1,128})\/[^/?]*(?:\?.*)?$/s.exec(path) ?? [];
  const head = library && id ? await bucket.head(`${prefix}${library}/${id}`) : null;
  if (!head || !library || !id) throw noSuchFile();
  return {
    id,
    libraryId: library as LibraryId,
    ...describedBy(head),
    expiresAt: null,
    ...readObject(bucket, head),
  };
}

const noSuchFile = () => new VerdantError(VerdantErrorCode.NotFound, 'There is no such file.');
