import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * Web pages by their origin: a list, each exactly as browsers send it (`https://app.example.com`, without a path or a slash at
 * the end), or a function that tells whether an origin is one of them.
 */
export type AllowedOrigins = readonly string[] | ((origin: string) => boolean);

/**
 * Tells allowed origins from others; without a list all are allowed.
 *
 * @throws {VerdantError} Configuration (5010) where an entry could never be what a browser sends.
 */
export const originCheck = (allowed: AllowedOrigins | undefined): ((origin: string) => boolean) => {
  if (allowed === undefined) return () => true;
  if (typeof allowed === 'function') return allowed;
  if (!Array.isArray(allowed)) throw wrong(allowed);
  for (const origin of allowed) if (!isOrigin(origin)) throw wrong(origin);
  const origins = new Set(allowed);
  return (origin) => origins.has(origin);
};

/** `null` is what pages from files and sandboxed frames send; apps in a shell have schemes of their own. */
const isOrigin = (text: unknown): boolean => {
  if (typeof text !== 'string') return false;
  if (text === 'null') return true;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/.test(text)) return false;
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
};

const wrong = (given: unknown) =>
  new VerdantError(
    VerdantErrorCode.Configuration,
    `allowedOrigins has to be a list of origins as browsers send them, such as 'https://app.example.com' (scheme, host ` +
      `and, unless it is the default one, port; lower case, no path, no slash at the end, no wildcard), or a function; it holds ${JSON.stringify(given) ?? String(given)}.`,
  );
