/** Up to this length a message is sent whole: one frame is cheaper than several, for both sides. */
const SHORT = 64 * 1024;

/** A message in pieces, as one text where it is short; otherwise as pieces that have been begun. */
export async function wholeWhenShort(pieces: AsyncIterable<string>): Promise<string | AsyncIterable<string>> {
  const iterator = pieces[Symbol.asyncIterator]();
  let start = '';
  while (start.length < SHORT) {
    const next = await iterator.next();
    if (next.done) return start;
    start += next.value;
  }
  return {
    [Symbol.asyncIterator]: () => {
      let begun = false;
      return {
        async next() {
          if (begun) return iterator.next();
          begun = true;
          return { done: false, value: start };
        },
        // Whoever stops early has to reach the source, or what it holds is never let go.
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
