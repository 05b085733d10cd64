import type { RequestIntake } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * The text of a request's body. A body over `maxBytes` is given up as soon as it is known to be. `intake` is told what of
 * it is in memory.
 *
 * @throws {VerdantError} BodyRequired (4001), TooLarge (4130), InvalidRequest (4000) where it is no UTF-8 or breaks off,
 *   Busy (5030) where `intake` has no room for it.
 */
export const readText = async (
  request: Request,
  maxBytes: number,
  intake: Pick<RequestIntake, 'arrived'>,
): Promise<string> => {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const text =
    declared <= WHOLE_BYTES
      ? await readWhole(request, declared, maxBytes, intake)
      : await readPieces(request, maxBytes, intake);
  if (text === '') throw new VerdantError(VerdantErrorCode.BodyRequired, 'This request needs a body.');
  return text;
};

/** Bodies up to this size are read in one go, which runtimes do several times faster than piece by piece. */
const WHOLE_BYTES = 1024 * 1024;

const readWhole = async (
  request: Request,
  declared: number,
  maxBytes: number,
  intake: Pick<RequestIntake, 'arrived'>,
): Promise<string> => {
  intake.arrived(declared);
  const bytes = await request.arrayBuffer().catch(brokenOff);
  // Not every runtime holds a body to the length that it declares.
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return decode(new Uint8Array(bytes));
};

const readPieces = async (
  { body }: Request,
  maxBytes: number,
  intake: Pick<RequestIntake, 'arrived'>,
): Promise<string> => {
  if (!body) return '';
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) return decode(joined(pieces, length));
      length += value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      intake.arrived(value.byteLength);
      pieces.push(value);
    }
  } finally {
    reader.releaseLock();
  }
};

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** In one go: piece by piece, Node decodes slowly, and to a string of two bytes a character. */
const decode = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VerdantError(VerdantErrorCode.InvalidRequest, 'The body is not valid UTF-8.', { cause });
  }
};

const brokenOff = (cause: unknown): never => {
  throw new VerdantError(VerdantErrorCode.InvalidRequest, 'The body broke off.', { cause });
};

const tooLarge = (maxBytes: number) =>
  new VerdantError(VerdantErrorCode.TooLarge, `The body is larger than ${maxBytes} bytes.`);
