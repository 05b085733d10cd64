import { CLOSE } from '../wire-rules/raw-socket.js';
import { type Close, closeOf } from './answers.js';

/**
 * The first close among the frames that a client sent, as a server reads them; undefined where there is none before something
 * that is no frame of a client. Of a broken frame the rest may be read as a close: what was meant says nothing.
 */
export function closeIn(bytes: Buffer): Close | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first, second] = [bytes[at]!, bytes[at + 1]!];
    const isMasked = (second & 0x80) !== 0;
    const hasReservedBits = (first & 0x70) !== 0;
    if (!isMasked || hasReservedBits) return undefined;
    const short = second & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + head + MASK_BYTES > bytes.length) return undefined;
    const length =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    const mask = bytes.subarray(at + head, at + head + MASK_BYTES);
    const payload = bytes.subarray(at + head + MASK_BYTES, at + head + MASK_BYTES + length);
    if (payload.length < length) return undefined;
    if ((first & 0x0f) === CLOSE)
      return closeOf(Buffer.from(payload.map((byte, n) => byte ^ mask[n % MASK_BYTES]!)));
    at += head + MASK_BYTES + length;
  }
  return undefined;
}

const MASK_BYTES = 4;
