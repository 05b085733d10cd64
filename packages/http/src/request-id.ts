/**
 * The id of a request: what the app, or a proxy before it, sent as `X-Request-Id`, where that can be one, of up to 64
 * letters, digits and `. _ : -`; else a new one.
 */
export const requestIdOf = (header: string | undefined): string =>
  header !== undefined && /^[\w.:-]{1,64}$/.test(header) ? header : crypto.randomUUID();
