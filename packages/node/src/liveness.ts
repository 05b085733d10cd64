import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** A socket that is watched. */
export interface WatchedSocket {
  /** Something arrived. */
  heard(): void;
}

/**
 * Finds peers that are gone without a word: each socket is pinged, and cut off when it has missed two pongs. One that is not read
 * for now cannot be heard either; it is cut off when that has gone on for longer than any slowing down does.
 *
 * The client's own heartbeats prove nothing, because it gives up beating after one slow answer.
 */
export class Liveness {
  readonly #intervalMs: number;
  readonly #watched = new Map<WebSocket, Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Watches a socket until it closes.
   *
   * @param isPaused Whether the socket is not read for now: then its silence says nothing.
   */
  watch(socket: WebSocket, connection: Duplex, isPaused: () => boolean): WatchedSocket {
    const watched: Watched = { connection, isPaused, missed: 0, unread: 0, sentBytes: 0 };
    const heard = () => {
      watched.missed = 0;
      watched.unread = 0;
    };
    socket.on('pong', heard);
    socket.once('close', () => this.#forget(socket));
    this.#watched.set(socket, watched);
    // One timer for all: ten thousand of them would cost more than the pings.
    this.#timer ??= setInterval(() => this.#checkAll(), this.#intervalMs).unref();
    return { heard };
  }

  #forget(socket: WebSocket): void {
    this.#watched.delete(socket);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #checkAll(): void {
    for (const [socket, watched] of this.#watched) {
      if (socket.readyState !== socket.OPEN) continue;
      if (watched.isPaused()) {
        // No ping: to one whose last messages wait here, and who has left, it would break off what is still to be read.
        if (++watched.unread >= MAX_UNREAD_CHECKS) socket.terminate();
        continue;
      }
      watched.unread = 0;
      if (takesBytes(socket, watched)) watched.missed = 0;
      if (watched.missed++ >= MISSED_PONGS) socket.terminate();
      else socket.ping(ignoreFailure);
    }
  }
}

interface Watched {
  connection: Duplex;
  isPaused: () => boolean;
  /** Pings since something was last heard. */
  missed: number;
  /** Checks in a row that found it unread, since something was last heard. */
  unread: number;
  /** Bytes that the network had taken at the last check. */
  sentBytes: number;
}

const MISSED_PONGS = 2;

/**
 * Five minutes. Who sends too much is heard between its pauses, and refused after a minute of them; where the engine itself
 * has stopped, whoever lives comes back.
 */
const MAX_UNREAD_CHECKS = 10;

/** On a slow line a ping waits behind what is still to be sent: as long as that moves, the peer lives. */
const takesBytes = (socket: WebSocket, watched: Watched): boolean => {
  const { bytesWritten = 0, writableLength } = watched.connection as Socket;
  const sentBytes = bytesWritten - writableLength;
  const moved = sentBytes > watched.sentBytes && socket.bufferedAmount > 0;
  watched.sentBytes = sentBytes;
  return moved;
};

const ignoreFailure = () => {};
