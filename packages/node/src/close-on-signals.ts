import { closeGracefully, type GracefulCloseOptions } from './close-gracefully.js';

/** Options of {@link closeOnSignals}. */
export interface SignalOptions extends GracefulCloseOptions {
  /** Default `SIGINT` and `SIGTERM`. */
  signals?: readonly NodeJS.Signals[];
  /** Called when all is closed. Default: the process exits, with 0, or with 1 where closing failed. */
  onClosed?: (error?: unknown) => void;
}

/**
 * Shuts down on the first of the signals that end a process. A second one ends it at once, without waiting.
 *
 * @example
 * ```ts
 * closeOnSignals({ server, core });
 * ```
 *
 * @returns Stops listening for signals.
 */
export const closeOnSignals = (options: SignalOptions): (() => void) => {
  const { signals = ['SIGINT', 'SIGTERM'], onClosed = (error) => process.exit(error === undefined ? 0 : 1) } =
    options;
  let closing = false;
  const onSignal = () => {
    if (closing) process.exit(1);
    closing = true;
    closeGracefully(options).then(
      () => onClosed(),
      (error: unknown) => {
        options.core.log.error?.({ err: error }, 'Closing failed.');
        onClosed(error);
      },
    );
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
};
