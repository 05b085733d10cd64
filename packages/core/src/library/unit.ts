import type { VerdantError } from '@verdant-web/protocol';
import type { RequestConnection, SocketConnection } from './connection.js';
import type { Inbound } from './inbound.js';

/** What came over one connection and is answered together: a frame of a socket, or all of an HTTP request. */
export interface Unit {
  readonly connection: SocketConnection | RequestConnection;
  /** The library's epoch when the connection was opened. What is older than an eviction is not stored. */
  readonly epoch: number;
  /** Understands what came; late, so that a burst is parsed by the library that it is for. */
  read(): Inbound[];
  /** One message for whoever asked. */
  answer(message: string | AsyncIterable<string>): void;
  /** It is durable, and its effects are released. */
  done(): void;
  /** It could not be worked off. */
  failed(error: VerdantError): void;
}
