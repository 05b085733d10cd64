/** A close reason cut to what a close frame can hold, 123 bytes, without cutting a character in two. */
export const closeReason = (reason: string): Buffer => {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return bytes;
  let end = MAX_REASON_BYTES;
  // Bytes of the form 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
};

const MAX_REASON_BYTES = 123;
