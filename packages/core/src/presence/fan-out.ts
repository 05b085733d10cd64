import type { UserId } from '@verdant-web/protocol';
import type { Connection, SocketConnection } from '../library/connection.js';
import { Rate } from '../rate.js';
import type { Scheduler } from '../scheduler.js';

/**
 * Tells a library's sockets who is present. At once, as long as that is little; where many change at the same time, or a
 * socket is slow, each is told the latest of each user, as fast as it goes: N users are N² messages for each change of all.
 */
export class PresenceFanOut {
  readonly #scheduler: Scheduler;
  readonly #rate: Rate;
  /** What sockets have still to be told, by user; those that wait longest come first. None is empty. */
  readonly #waiting = new Map<SocketConnection, Map<UserId, string>>();
  #cancelNext: (() => void) | null = null;

  constructor(maxPerSecond: number, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#rate = new Rate(maxPerSecond, scheduler, { burstSeconds: BURST_SECONDS });
  }

  /** `text` says of the user what is so from now on. Who asked is answered by itself. */
  tell(sockets: Iterable<SocketConnection>, userId: UserId, text: string, asker?: Connection): void {
    for (const socket of sockets) {
      if (socket === asker) {
        this.#forget(socket, userId);
        continue;
      }
      const waiting = this.#waiting.get(socket);
      if (!waiting && this.#mayTell(socket)) this.#send(socket, text);
      else if (waiting) {
        waiting.delete(userId);
        waiting.set(userId, text);
      } else this.#waiting.set(socket, new Map([[userId, text]]));
    }
    this.#continueLater();
  }

  /** The user is gone: what was to be told is so no more. */
  userLeft(userId: UserId): void {
    for (const socket of this.#waiting.keys()) this.#forget(socket, userId);
  }

  socketLeft(socket: SocketConnection): void {
    this.#waiting.delete(socket);
  }

  /** Nothing is told any more. */
  clear(): void {
    this.#waiting.clear();
    this.#cancelNext?.();
    this.#cancelNext = null;
  }

  #forget(socket: SocketConnection, userId: UserId): void {
    const waiting = this.#waiting.get(socket);
    if (waiting?.delete(userId) && waiting.size === 0) this.#waiting.delete(socket);
  }

  #mayTell({ outbox }: SocketConnection): boolean {
    return outbox.unsentBytes < MAX_UNSENT_BYTES && this.#rate.waitMsFor(1) === 0;
  }

  #send(socket: SocketConnection, text: string): void {
    this.#rate.take(1);
    socket.outbox.send(text);
  }

  #continueLater(): void {
    if (this.#waiting.size === 0 || this.#cancelNext) return;
    this.#cancelNext = this.#scheduler.after(PAUSE_MS, () => {
      this.#cancelNext = null;
      this.#continue();
      this.#continueLater();
    });
  }

  #continue(): void {
    for (const [socket, waiting] of [...this.#waiting]) {
      for (const [userId, text] of waiting) {
        if (!this.#mayTell(socket)) break;
        this.#send(socket, text);
        waiting.delete(userId);
      }
      this.#waiting.delete(socket);
      // Others have waited for longer now.
      if (waiting.size > 0) this.#waiting.set(socket, waiting);
      if (this.#rate.waitMsFor(1) > 0) return;
    }
  }
}

/** As much of a second's worth is told at once. */
const BURST_SECONDS = 0.2;

/** Between what is told at once, in ms: others have their turn, and changes gather meanwhile. */
const PAUSE_MS = 20;

/** A socket that has more to take is told later. */
const MAX_UNSENT_BYTES = 64 * 1024;
