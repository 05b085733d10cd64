/**
 * A body that may fail half-way, as one that does not: one that is broken off says nothing of why, and on its way from an object
 * can look like one that ended. Each frame is its kind, the length of what is in it, and that.
 */
const HEADER = 0;
const CHUNK = 1;
const FAILURE = 2;

const PREFIX_BYTES = 5;

/** The header, then the body chunk by chunk, and the message of the error where it fails. */
export async function* framed(header: unknown, body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield frame(HEADER, bytesOf(JSON.stringify(header)));
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield frame(CHUNK, value);
    }
  } catch (error) {
    yield frame(FAILURE, bytesOf((error as Error).message));
  } finally {
    // Where nobody wants the rest; of one that failed there is none.
    await reader.cancel().catch(() => {});
  }
}

/** What {@link framed} was made of. */
export interface Unframed<Header> {
  header: Header;
  /** With the same chunks, and failing where it failed. */
  body: ReadableStream<Uint8Array>;
  /** Where `body` takes them from. Goes on where that one is cancelled. */
  frames: AsyncGenerator<Frame>;
}

export async function unframed<Header>(stream: ReadableStream<Uint8Array>): Promise<Unframed<Header>> {
  const frames = framesOf(stream);
  const first = await frames.next();
  if (first.done) throw new Error('There are no frames.');
  const header = JSON.parse(textOf(first.value.content)) as Header;
  return { header, body: streamOf(contentOf(frames)), frames };
}

async function* contentOf(frames: AsyncGenerator<Frame>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await frames.next();
    if (done) return;
    if (value.kind === FAILURE) throw new Error(textOf(value.content));
    yield value.content;
  }
}

/** Asks for the next chunk when it is wanted. */
export const streamOf = (chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await chunks.return(undefined)),
    },
    { highWaterMark: 0 },
  );

export interface Frame {
  kind: number;
  content: Uint8Array;
}

async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame, undefined> {
  const reader = body.getReader();
  let rest: Uint8Array = new Uint8Array();
  const take = async (length: number): Promise<Uint8Array | null> => {
    const parts = [rest];
    let size = rest.length;
    while (size < length) {
      const { done, value } = await reader.read();
      if (done) return null;
      parts.push(value);
      size += value.length;
    }
    const all = joined(parts, size);
    rest = all.subarray(length);
    return all.subarray(0, length);
  };
  try {
    for (;;) {
      const prefix = await take(PREFIX_BYTES);
      if (!prefix) return;
      const content = await take(new DataView(prefix.buffer, prefix.byteOffset).getUint32(1));
      if (!content) throw new Error('The request ended within a frame.');
      // A copy: what is around it is not the reader's.
      yield { kind: prefix[0]!, content: content.slice() };
    }
  } finally {
    await reader.cancel();
  }
}

function frame(kind: number, content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(PREFIX_BYTES + content.length);
  whole[0] = kind;
  new DataView(whole.buffer).setUint32(1, content.length);
  whole.set(content, PREFIX_BYTES);
  return whole;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
