import { parseJson, type ReplicaId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { asVerdantError } from './library/as-verdant-error.js';
import type { RequestConnection } from './library/connection.js';
import type { Inbound } from './library/inbound.js';
import type { LiveLibrary } from './library/live-library.js';
import { wholeWhenShort } from './library/pieces.js';
import { readMessage } from './library/read-message.js';
import type { Unit } from './library/unit.js';
import type { Limits } from './limits.js';

const MAX_MESSAGES = 10_000;

/**
 * The messages in the body of an HTTP sync request, `{ messages: [...] }`.
 * Throws a `VerdantError` (4000) where anything in it is wrong: then nothing of it is worked off.
 */
function readRequest(body: string, connection: RequestConnection, limits: Limits): Inbound[] {
  const parsed = parseJson(body, limits.maxValueDepth + 10);
  const messages =
    typeof parsed === 'object' && parsed !== null && 'messages' in parsed ? parsed.messages : undefined;
  if (!Array.isArray(messages) || messages.length > MAX_MESSAGES) {
    throw new VerdantError(
      VerdantErrorCode.InvalidRequest,
      `The body has to be an object with a list 'messages' of up to ${MAX_MESSAGES} messages.`,
    );
  }
  return messages
    .map((message) => readMessage(connection, message, limits))
    .filter((inbound) => inbound !== null);
}

/** The replica that the messages are of; null: none says so. */
function replicaOf(messages: readonly Inbound[]): ReplicaId | null {
  for (const { message } of messages) {
    if (message !== null && 'replicaId' in message) return message.replicaId;
  }
  return null;
}

/** What of a request is a {@link Unit}'s own. */
export interface RequestContent extends Pick<Unit, 'long' | 'read'> {
  /** How many messages it has; one that is long counts as one. */
  messages: number;
  /** The replica that it says it is of; null: it does not say, or is long. */
  replicaId: ReplicaId | null;
}

/**
 * What a library works off for one request. A long body is read only there, where it can be read in pieces.
 * Throws a `VerdantError` where anything in a shorter one is wrong.
 */
export function requestContent(body: string, connection: RequestConnection, limits: Limits): RequestContent {
  if (body.length <= limits.maxWholeMessageLength) {
    const messages = readRequest(body, connection, limits);
    return { long: null, messages: messages.length, replicaId: replicaOf(messages), read: () => messages };
  }
  return {
    long: { text: body, place: 'messages' },
    messages: 1,
    replicaId: null,
    read: () => {
      try {
        return readRequest(body, connection, limits);
      } catch (error) {
        return [{ connection, message: null, error: asVerdantError(error) }];
      }
    },
  };
}

/** Work one request off. Resolves, when everything is durable, to the answer's body in pieces. */
export async function answerRequest(
  library: LiveLibrary,
  connection: RequestConnection,
  content: RequestContent,
): Promise<AsyncIterable<string>> {
  const answers: Promise<string | AsyncIterable<string>>[] = [];
  await new Promise<void>((resolve, reject) => {
    library.receive({
      size: 1,
      long: content.long,
      read: content.read,
      connection,
      epoch: library.state.head.epoch,
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
