import type { MessageBus, Unsubscribe } from '../bus/message-bus.js';

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A bus in memory, to which servers of one process connect. */
export interface MemoryBus {
  /** A connection of its own, as another server's. */
  connect(): MessageBus;
}

/**
 * A message bus in memory: for tests, simulations and several servers in one process. It loses and repeats nothing and keeps
 * the order; a message is delivered in a microtask after it was published.
 *
 * @param options.onError Is given what a listener threw. Default: nobody is.
 *
 * @example
 * ```ts
 * import { memoryBus } from '@verdant-web/core/memory';
 *
 * const bus = memoryBus();
 * const [one, two] = [bus.connect(), bus.connect()];
 * await two.subscribe('library', (message) => console.log(message));
 * await one.publish('library', 'changed');
 * ```
 */
export function memoryBus({ onError = () => {} }: { onError?: (error: unknown) => void } = {}): MemoryBus {
  const channels = new Map<string, Set<Subscription>>();

  function deliver(channel: string, message: string): void {
    for (const subscription of [...(channels.get(channel) ?? [])]) {
      queueMicrotask(() => subscription.hear(message));
    }
  }

  function add(channel: string, subscription: Subscription): void {
    channels.set(channel, (channels.get(channel) ?? new Set()).add(subscription));
  }

  function remove(channel: string, subscription: Subscription): void {
    const subscriptions = channels.get(channel);
    subscriptions?.delete(subscription);
    if (subscriptions?.size === 0) channels.delete(channel);
  }

  return { connect: () => connection({ deliver, add, remove, onError }) };
}

interface Exchange {
  deliver(channel: string, message: string): void;
  add(channel: string, subscription: Subscription): void;
  remove(channel: string, subscription: Subscription): void;
  onError(error: unknown): void;
}

function connection({ deliver, add, remove, onError }: Exchange): MessageBus {
  const own = new Set<Unsubscribe>();
  let closed = false;
  const assertOpen = () => {
    if (closed) throw new Error('The message bus was closed. Connect anew to go on.');
  };

  return {
    limits: { maxMessageBytes: MAX_MESSAGE_BYTES },

    async publish(channel, message) {
      assertOpen();
      const bytes = new TextEncoder().encode(message).length;
      if (bytes > MAX_MESSAGE_BYTES) {
        throw new Error(`A message of ${bytes} bytes is more than this bus takes (${MAX_MESSAGE_BYTES}).`);
      }
      deliver(channel, message);
    },

    async subscribe(channel, listener) {
      assertOpen();
      const subscription = new Subscription(listener, onError);
      add(channel, subscription);
      const unsubscribe: Unsubscribe = async () => {
        subscription.end();
        remove(channel, subscription);
        own.delete(unsubscribe);
      };
      own.add(unsubscribe);
      return unsubscribe;
    },

    async close() {
      closed = true;
      await Promise.all([...own].map((unsubscribe) => unsubscribe()));
    },
  };
}

class Subscription {
  readonly #listener: (message: string) => unknown;
  readonly #onError: (error: unknown) => void;
  #ended = false;

  constructor(listener: (message: string) => unknown, onError: (error: unknown) => void) {
    this.#listener = listener;
    this.#onError = onError;
  }

  end(): void {
    this.#ended = true;
  }

  async hear(message: string): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#listener(message);
    } catch (error) {
      this.#onError(error);
    }
  }
}
