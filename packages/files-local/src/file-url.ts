import type { FileLocation } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { type FileIdentity, filePath } from './file-path.js';
import type { UrlSigner } from './url-signature.js';

/**
 * The URL of a file below `host`: its path on disk, for any static file server. What the path does not show of library, id
 * and name is in the query, where `serveFiles` finds it.
 */
export const fileUrl = (host: string, file: FileIdentity, signer: UrlSigner | null): string => {
  const path = filePath(file);
  const query = new URLSearchParams();
  for (const [index, name] of PARAMETERS.entries()) {
    const value = file[FIELDS[index]!];
    if (value !== path[index]) query.set(name, value);
  }
  if (query.toString().length > LONGEST_QUERY) for (const name of PARAMETERS) query.delete(name);
  if (signer) {
    for (const [name, value] of Object.entries(signer.sign(path.join('/')))) query.set(name, value);
  }
  const text = query.toString();
  return `${host}/${path.join('/')}${text && `?${text}`}`;
};

/** More than the longest name and ids that the engine takes need, and less than servers take of a request's head. */
const LONGEST_QUERY = 12_000;

/** What such a URL stands for, by what is behind `host`; null: it is none of ours. */
export const readFileUrl = (pathAndQuery: string, signer: UrlSigner | null): FileLocation | null => {
  const [path = '', ...rest] = pathAndQuery.replace(/#.*$/s, '').split('?');
  const query = new URLSearchParams(rest.join('?'));
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length !== FIELDS.length) return null;
  const [libraryId = '', id = '', name = ''] = segments.map(
    (segment, index) => query.get(PARAMETERS[index]!) ?? segment,
  );
  const location = { libraryId: libraryId as LibraryId, id, name };
  const ours = filePath(location).join('/');
  if (ours !== segments.join('/')) return null;
  return { ...location, expiresAt: signer ? signer.verify(ours, query) : null };
};

const FIELDS = ['libraryId', 'id', 'name'] as const satisfies readonly (keyof FileIdentity)[];
/** Of the query, in the same order. */
const PARAMETERS = ['library', 'file', 'name'] as const;
