export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Receives what the server has to say. Arguments are a sentence, then values.
 * Never a token, a secret or a document's content.
 */
export type Logger = (level: LogLevel, ...args: unknown[]) => void;

/** A logger that never throws: one that fails must not take anything with it. */
export function safeLogger(log: Logger | undefined): Logger {
  if (!log) return () => {};
  return (level, ...args) => {
    try {
      // An app's logger may be asynchronous, whatever its type says.
      const done: unknown = log(level, ...args);
      if (done instanceof Promise) done.catch(() => {});
    } catch {
      // There is nobody left to tell.
    }
  };
}
