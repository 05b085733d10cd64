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
  return decode(new TextDecoder('utf-8', { fatal: true }), new Uint8Array(bytes));
};

const readPieces = async (
  { body }: Request,
  maxBytes: number,
  intake: Pick<RequestIntake, 'arrived'>,
): Promise<string> => {
  if (!body) return '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = body.getReader();
  let bytes = 0;
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) return text + decode(decoder);
      bytes += value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      intake.arrived(value.byteLength);
      text += decode(decoder, value, true);
    }
  } finally {
    reader.releaseLock();
  }
};

const decode = (decoder: TextDecoder, bytes?: Uint8Array, stream = false): string => {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw new VerdantError(VerdantErrorCode.InvalidRequest, 'The body is not valid UTF-8.', { cause });
  }
};

const brokenOff = (cause: unknown): never => {
  throw new VerdantError(VerdantErrorCode.InvalidRequest, 'The body broke off.', { cause });
};

const tooLarge = (maxBytes: number) =>
  new VerdantError(VerdantErrorCode.TooLarge, `The body is larger than ${maxBytes} bytes.`);
