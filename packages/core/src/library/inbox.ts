import { parseClientMessage, parseJson, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Limits } from '../limits.js';
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

/** Understand one frame. Null: a message of a type that this server does not know, which is ignored. */
export function readFrame(text: string, limits: Limits): Omit<Inbound, 'connection'> | null {
  try {
    return understand(parseJson(text, limits.maxValueDepth + 8), limits);
  } catch (error) {
    return { message: null, error: asVerdantError(error) };
  }
}

/** Check one message that was parsed already. */
export function understand(value: unknown, limits: Limits): Omit<Inbound, 'connection'> | null {
  const message = parseClientMessage(value, limits);
  if (message === null) return null;
  if (message.type === 'presence-update') checkPresence(message, limits);
  return { message, error: null };
}

function checkPresence(message: { presence?: unknown; internal?: unknown }, limits: Limits): void {
  const { presence, internal } = message;
  const bytes = (JSON.stringify(presence)?.length ?? 0) + (JSON.stringify(internal)?.length ?? 0);
  if (bytes <= limits.maxPresenceBytes) return;
  throw new VerdantError(
    VerdantErrorCode.TooLarge,
    `Presence may have up to ${limits.maxPresenceBytes} bytes as JSON; this has ${bytes}. Keep large values in documents.`,
  );
}

/** Whatever was thrown, as something that can be told to a client. */
export const asVerdantError = (error: unknown): VerdantError =>
  error instanceof VerdantError
    ? error
    : new VerdantError(VerdantErrorCode.Unexpected, 'The server failed to handle this; it has logged why.', {
        cause: error,
      });
