/** What a request to the router asks for, by its path. */
export type Route = { to: 'sync' } | { to: 'file'; fileId: string } | { to: 'nothing' };

/**
 * Reads the part of `path` below `mountPath`, which is a route pattern such as `/verdant` or `/:tenant/sync`.
 *
 * Empty segments are skipped: with a sync URL that ends in a slash the client asks for `//files/…`.
 * `path` is as Hono gives it, with the escapes that mean something in a path still in place.
 */
export const routeOf = (path: string, mountPath: string): Route => {
  const [first, second, ...more] = segmentsOf(path).slice(segmentsOf(mountPath).length);
  if (first === undefined) return { to: 'sync' };
  if (first === 'files' && second !== undefined && more.length === 0)
    return { to: 'file', fileId: decode(second) };
  return { to: 'nothing' };
};

/** The segments of a path; empty ones count for nothing. */
export const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

/** Escapes that are none stay as they are: what becomes of such an id is for the core to say. */
const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
