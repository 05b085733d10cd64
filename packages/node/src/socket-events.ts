import type { Duplex } from 'node:stream';
import type { Log, SocketSession } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { RawData } from 'ws';
import type { HeldWebSocket } from './held-websocket.js';
import type { WatchedSocket } from './liveness.js';
import { tellUnfinished } from './unfinished-bytes.js';
import type { WebSocketTransport } from './websocket-transport.js';

/** The parts of one connection. */
export interface SocketParts {
  /** The connection beneath. */
  connection: Duplex;
  session: SocketSession;
  transport: WebSocketTransport;
  watched: WatchedSocket;
  log: Log;
}

/** Passes what happens on a socket to the engine's session. All listeners are in place when it returns. */
export const runSocket = (socket: HeldWebSocket, parts: SocketParts): void => {
  const { connection, session, transport, watched, log } = parts;
  const fairness = new TurnBudget(() => transport.yieldToOthers());
  socket.on('message', (data: RawData, isBinary: boolean) => {
    watched.heard();
    fairness.spend();
    if (isBinary) session.refuse(binaryFrame());
    else session.receive(textOf(data));
  });
  socket.on('ping', (data: Buffer) => {
    fairness.spend();
    // Whoever pings and does not read would have us keep every answer.
    if (socket.bufferedAmount < MAX_UNREAD_PONGS_BYTES) socket.pong(data, undefined, ignoreFailure);
  });
  socket.on('error', (error) => log.debug?.({ err: error }, 'A socket failed.'));
  const endUnfinished = tellUnfinished(socket, connection, session);
  socket.onBrokenFrame = (code) => {
    endUnfinished();
    session.refuse(brokenFrame(code));
  };
  // 1006: it broke off, without a word.
  socket.once('close', (code: number) => session.closed(code !== 1006));
  transport.attach(socket);
};

const MAX_UNREAD_PONGS_BYTES = 1024 * 1024;

/** The socket's own events tell of it. */
const ignoreFailure = () => {};

/** `ws` has checked that it is UTF-8. */
const textOf = (data: RawData): string => {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
};

/** So many messages of one socket in one turn of the event loop; then the others, or a flood would starve them. */
class TurnBudget {
  readonly #onSpent: () => void;
  #left = MESSAGES_PER_TURN;
  #renewing = false;

  constructor(onSpent: () => void) {
    this.#onSpent = onSpent;
  }

  spend(): void {
    if (!this.#renewing) {
      this.#renewing = true;
      setImmediate(() => {
        this.#left = MESSAGES_PER_TURN;
        this.#renewing = false;
      });
    }
    if (--this.#left === 0) this.#onSpent();
  }
}

const MESSAGES_PER_TURN = 64;

const binaryFrame = () => new VerdantError(VerdantErrorCode.InvalidRequest, 'Messages are text frames.');

const brokenFrame = (code: number): VerdantError =>
  code === 1009
    ? new VerdantError(VerdantErrorCode.TooLarge, 'This message is too large.')
    : new VerdantError(VerdantErrorCode.InvalidRequest, 'This frame is malformed.');
