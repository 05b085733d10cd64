/**
 * A stream of so many bytes, that errors where others come. The runtime has one that R2, and whoever is sent it, is told the
 * length of.
 */
export const fixedLength = (size: number): TransformStream<Uint8Array, Uint8Array> => {
  const { FixedLengthStream } = globalThis as unknown as {
    FixedLengthStream: new (size: number) => TransformStream<Uint8Array, Uint8Array>;
  };
  return new FixedLengthStream(size);
};
