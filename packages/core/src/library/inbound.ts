import type { ClientMessage, VerdantError } from '@verdant-web/protocol';
import type { Connection } from './connection.js';

/** One message as it reaches the engine: understood, or refused already. */
export type Inbound =
  | { connection: Connection; message: ClientMessage; error: null }
  | { connection: Connection; message: null; error: VerdantError };
