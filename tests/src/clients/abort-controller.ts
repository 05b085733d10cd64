/**
 * An `AbortController` of a tab. What a listener throws, a browser writes to its console, and goes on; Node ends the
 * process. The clients count on the former: `close` calls the `abort` of each transaction that still runs as a plain
 * function, which throws everywhere.
 */
export class TabAbortController extends AbortController {
  constructor() {
    super();
    const { signal } = this;
    const forgiving = new WeakMap<object, (event: Event) => void>();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: AddEventListenerOptions | boolean,
    ) => {
      if (typeof listener !== 'function') return add(type, listener, options);
      const known = forgiving.get(listener);
      const forgives =
        known ??
        ((event: Event) => {
          try {
            listener.call(signal, event);
          } catch {
            // A line in the console of a browser.
          }
        });
      forgiving.set(listener, forgives);
      add(type, forgives, options);
    };
    signal.removeEventListener = (
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: EventListenerOptions | boolean,
    ) => remove(type, forgiving.get(listener) ?? listener, options);
  }
}
