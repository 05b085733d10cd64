import type { MessagePlace, VerdantError } from '@verdant-web/protocol';
import type { RequestConnection, SocketConnection } from './connection.js';
import type { Inbound } from './inbound.js';

/** A text that is better read in pieces. */
export interface LongText {
  readonly text: string;
  readonly place: MessagePlace;
}

/** What came over one connection and is answered together: a frame of a socket, or all of an HTTP request. */
export interface Unit {
  readonly connection: SocketConnection | RequestConnection;
  /** The library's epoch when the connection was opened. What is older than an eviction is not stored. */
  readonly epoch: number;
  /** What came, as text, where it is so long that it is better read in pieces; null: it is read as a whole. */
  readonly long: LongText | null;
  /** How much of a batch it is: 1, or less where it is hardly any work. */
  readonly size: number;
  /** Understands what came; late, so that a burst is parsed by the library that it is for. */
  read(): Inbound[];
  /** One message for whoever asked. */
  answer(message: string | AsyncIterable<string>): void;
  /** It is durable, and its effects are released. */
  done(): void;
  /** It could not be worked off. */
  failed(error: VerdantError): void;
}
