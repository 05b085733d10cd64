import { parseClientMessage, parseJson, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Limits } from '../limits.js';
import { asVerdantError } from './as-verdant-error.js';
import type { Inbound } from './inbound.js';

/** Understand one frame. Null: a message of a type that this server does not know, which is ignored. */
export function readFrame(text: string, limits: Limits): Omit<Inbound, 'connection'> | null {
  try {
    return readMessage(parseJson(text, limits.maxValueDepth + 8), limits);
  } catch (error) {
    return { message: null, error: asVerdantError(error) };
  }
}

/** Check one message that was parsed already. */
export function readMessage(value: unknown, limits: Limits): Omit<Inbound, 'connection'> | null {
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
