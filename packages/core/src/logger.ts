export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Receives what the server has to say. Arguments are a sentence, then values.
 * Never a token, a secret or a document's content.
 */
export type Logger = (level: LogLevel, ...args: unknown[]) => void;
