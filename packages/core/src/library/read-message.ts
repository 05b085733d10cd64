import { parseClientMessage, parseJson, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Limits } from '../limits.js';
import { asVerdantError } from './as-verdant-error.js';
import type { Connection } from './connection.js';
import type { Inbound } from './inbound.js';

/** Understand one frame. Null: a message of a type that this server does not know, which is ignored. */
export function readFrame(connection: Connection, text: string, limits: Limits): Inbound | null {
  try {
    return readMessage(connection, parseJson(text, limits.maxValueDepth + 8), limits);
  } catch (error) {
    return { connection, message: null, error: asVerdantError(error) };
  }
}

/** Check one message that was parsed already. */
export function readMessage(connection: Connection, value: unknown, limits: Limits): Inbound | null {
  const message = parseClientMessage(value, limits);
  if (message === null) return null;
  if (message.type === 'presence-update') checkPresence(message, limits);
  return { connection, message, error: null };
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
