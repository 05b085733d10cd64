/** Whether a JSON text has at most so many bytes of UTF-8. */
export const fits = (text: string, maxBytes: number): boolean =>
  // A UTF-16 unit has at most three bytes of UTF-8: nearly everything is decided by the length.
  text.length * 3 <= maxBytes || new TextEncoder().encode(text).byteLength <= maxBytes;
