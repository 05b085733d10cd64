import type { ClientMessage, VerdantError } from '@verdant-web/protocol';
import type { Connection } from './connection.js';
import type { StagedContent } from './founding.js';

/** One message as it reaches the engine: understood, or refused already. */
export type Inbound =
  | {
      connection: Connection;
      message: ClientMessage;
      error: null;
      /** Of a long sync that founds the library: what it brings. Its own lists are empty then. */
      staged?: StagedContent;
    }
  | { connection: Connection; message: null; error: VerdantError };
