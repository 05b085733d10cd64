import type { ObjectState } from './platform.js';

/** What the client of 5.x sends, to the letter. That of 3.x names its replica and the time, and so wakes the object. */
const HEARTBEAT = '{"type":"heartbeat"}';
const ANSWER = '{"type":"heartbeat-response"}';

/** Has the runtime answer heartbeats, without waking the object. */
export function answerHeartbeatsAsleep(state: ObjectState): void {
  const { WebSocketRequestResponsePair } = globalThis as unknown as {
    WebSocketRequestResponsePair: new (request: string, response: string) => unknown;
  };
  (state as ObjectState & AutoResponding).setWebSocketAutoResponse(
    new WebSocketRequestResponsePair(HEARTBEAT, ANSWER),
  );
}

/** Its parameter is a class of the runtime's. */
interface AutoResponding {
  setWebSocketAutoResponse(pair: unknown): void;
}
