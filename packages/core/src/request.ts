import { parseJson, type ReplicaId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { RequestConnection } from './library/connection.js';
import type { Inbound } from './library/inbound.js';
import type { LiveLibrary } from './library/live-library.js';
import { wholeWhenShort } from './library/pieces.js';
import { readMessage } from './library/read-message.js';
import type { Limits } from './limits.js';

const MAX_MESSAGES = 10_000;

/**
 * The messages in the body of an HTTP sync request, `{ messages: [...] }`.
 * Throws a `VerdantError` (4000) where anything in it is wrong: then nothing of it is worked off.
 */
export function readRequest(body: string, connection: RequestConnection, limits: Limits): Inbound[] {
  const parsed = parseJson(body, limits.maxValueDepth + 10);
  const messages =
    typeof parsed === 'object' && parsed !== null && 'messages' in parsed ? parsed.messages : undefined;
  if (!Array.isArray(messages) || messages.length > MAX_MESSAGES) {
    throw new VerdantError(
      VerdantErrorCode.InvalidRequest,
      `The body has to be an object with a list 'messages' of up to ${MAX_MESSAGES} messages.`,
    );
  }
  return messages.flatMap((message) => {
    const read = readMessage(message, limits);
    return read ? [{ ...read, connection } as Inbound] : [];
  });
}

/** The replica that the messages are of; null: none says so. */
export function replicaOf(messages: readonly Inbound[]): ReplicaId | null {
  for (const { message } of messages) {
    if (message !== null && 'replicaId' in message) return message.replicaId;
  }
  return null;
}

/** Work the messages of one request off. Resolves, when everything is durable, to the answer's body in pieces. */
export async function answerRequest(
  library: LiveLibrary,
  connection: RequestConnection,
  messages: Inbound[],
): Promise<AsyncIterable<string>> {
  const answers: Promise<string | AsyncIterable<string>>[] = [];
  await new Promise<void>((resolve, reject) => {
    library.receive({
      connection,
      epoch: library.state.head.epoch,
      read: () => messages,
      answer: (message) => {
        const whole = typeof message === 'string' ? Promise.resolve(message) : wholeWhenShort(message);
        // Looked at below; where the request fails before that, nobody is left to tell.
        whole.catch(() => {});
        answers.push(whole);
      },
      done: resolve,
      failed: reject,
    });
  });
  return bodyOf(await Promise.all(answers));
}

async function* bodyOf(answers: readonly (string | AsyncIterable<string>)[]): AsyncGenerator<string> {
  let piece = '{"messages":[';
  for (const [index, answer] of answers.entries()) {
    if (index > 0) piece += ',';
    if (typeof answer === 'string') {
      piece += answer;
    } else {
      yield piece;
      yield* answer;
      piece = '';
    }
  }
  yield `${piece}]}`;
}
