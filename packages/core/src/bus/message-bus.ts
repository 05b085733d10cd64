/**
 * Tells the servers that share one storage of each other's doings. The log is the truth, and the bus a doorbell: it may
 * lose a message, repeat one, and bring two in the wrong order. Who hears it ring looks in the storage.
 *
 * One `MessageBus` is one server's connection. Nothing in the engine uses one yet: it is here, with its suite
 * `@verdant-web/testkit/bus`, for the backends that several servers share.
 *
 * @example
 * ```ts
 * const unsubscribe = await bus.subscribe('library', (message) => lookAgain(JSON.parse(message)));
 * await bus.publish('library', JSON.stringify({ head: 12 }));
 * await unsubscribe();
 * ```
 */
export interface MessageBus {
  readonly limits: MessageBusLimits;
  /**
   * Hands a message over for all that are subscribed to the channel, over whichever connection, this one included. Resolves when
   * it was handed over, which says nothing of its delivery.
   *
   * @param channel Any string, such as the id of a library.
   * @param message Text of well-formed Unicode without NUL, as `JSON.stringify` writes it.
   * @throws Where the message is larger than the limit, the connection is down or the bus was closed.
   */
  publish(channel: string, message: string): Promise<void>;
  /**
   * Calls the listener with each message of the channel, never from within `publish`. Resolves when the subscription
   * holds: what is published afterwards is heard, if nothing gets lost. One listener that throws, or gives a promise that
   * rejects, is no matter of the others or of the publisher.
   *
   * @throws Where the connection is down or the bus was closed.
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** Ends every subscription of this connection, and the connection. Again: nothing. */
  close(): Promise<void>;
}

/** Ends one subscription: once it is called, the listener is not any more. Again: nothing. */
export type Unsubscribe = () => Promise<void>;

export interface MessageBusLimits {
  /** The largest message, in bytes of UTF-8. */
  maxMessageBytes: number;
}
