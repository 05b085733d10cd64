import type { Log } from '@verdant-web/core';
import type { Context } from 'hono';

/** How {@link syncAnswer} answers. */
export interface SyncAnswerOptions {
  /** The head leaves after this long, in ms, whether or not the answer is known. */
  headWithinMs: number;
  log: Log;
}

/**
 * Answers a sync request with the pieces that `answer` resolves to.
 *
 * A client whose poll takes over 3 s ends polling for good, so the head leaves early and the body follows when it is
 * there. Until the head has left, a failure is an answer with its own status (this function rejects); afterwards it can
 * only be told by breaking the connection off, so that the client does not take half an answer for a whole one.
 */
export const syncAnswer = async (
  c: Context,
  answer: Promise<AsyncIterable<string>>,
  { headWithinMs, log }: SyncAnswerOptions,
): Promise<Response> => {
  const beginning = readBeginning(answer);
  const known = await atMost(headWithinMs, beginning);
  // Polls with nothing new, nearly all of them, end here: one write, with a length.
  if (known && !known.rest) return c.body(known.text, 200, JSON_TYPE);
  return c.body(streamOf(beginning, log), 200, JSON_TYPE);
};

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Characters that are gathered before they are passed on: short pieces would cost a write each. */
const CHUNK_LENGTH = 64 * 1024;

/** Of a reader that takes nothing for so long, it is not known that it lives; a request has as long to come in. */
const STALLED_MS = 5 * 60_000;

/** The answer up to a chunk, and what gives the rest of it; null: that was all. */
interface Beginning {
  text: string;
  rest: AsyncIterator<string> | null;
}

const readBeginning = async (answer: Promise<AsyncIterable<string>>): Promise<Beginning> => {
  const pieces = (await answer)[Symbol.asyncIterator]();
  return readChunk(pieces);
};

const readChunk = async (pieces: AsyncIterator<string>): Promise<Beginning> => {
  let text = '';
  while (text.length < CHUNK_LENGTH) {
    const { done, value } = await pieces.next();
    if (done) return { text, rest: null };
    text += value;
  }
  return { text, rest: pieces };
};

const atMost = async <T>(ms: number, promise: Promise<T>): Promise<T | undefined> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
};

const streamOf = (beginning: Promise<Beginning>, log: Log): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  let next = beginning;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  // Whoever makes the pieces holds on to the library's state until told.
  const letGo = async () => {
    const last = await next.catch(() => undefined);
    await last?.rest?.return?.();
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(stalled);
      try {
        const { text, rest } = await next;
        if (text) controller.enqueue(encoder.encode(text));
        if (!rest) return controller.close();
        next = readChunk(rest);
        // Awaited with the next pull; a failure before that must not count as unhandled.
        next.catch(() => {});
        stalled = setTimeout(() => {
          log.info?.({}, 'The answer to a sync request is not read.');
          controller.error(new Error('The answer was not read.'));
          void letGo();
        }, STALLED_MS);
      } catch (error) {
        log.warn?.({ err: error }, 'The answer to a sync request broke off.');
        // Without its particulars: some runtimes write the error into the answer.
        controller.error(new Error('The answer broke off.'));
      }
    },
    // The reader left.
    cancel() {
      clearTimeout(stalled);
      return letGo();
    },
  });
};
