/**
 * Receives warnings of this package: a function, or a structured logger such as pino. What a server takes as its `log`
 * fits. Never given a secret or a token.
 */
export type TokenLog =
  | ((level: 'warn', message: string, fields: Readonly<Record<string, unknown>>) => void)
  | { warn(fields: Readonly<Record<string, unknown>>, message: string): void };

/** Writes a warning, in whichever of the two forms the log takes. */
export const warn = (
  log: TokenLog,
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): void => {
  if (typeof log === 'function') log('warn', message, fields);
  else log.warn(fields, message);
};
