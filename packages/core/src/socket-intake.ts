import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Limits } from './limits.js';
import { BURST_SECONDS, Rate } from './rate.js';
import type { Scheduler } from './scheduler.js';
import type { SocketTransport } from './transport.js';
import type { UserBudget } from './user-budgets.js';

export interface SocketIntakeOptions {
  transport: SocketTransport;
  limits: Limits;
  scheduler: Scheduler;
  /** Of whoever it is that sends. */
  budget: () => UserBudget;
  /** It was slowed for long enough. */
  flooded(error: VerdantError): void;
}

/** What comes in on one socket: it is read no faster than it is worked off, and no faster than its rate. */
export class SocketIntake {
  readonly #options: SocketIntakeOptions;
  readonly #rate: Rate;
  readonly #pausedFor = new Set<'queue' | 'rate' | 'closing'>();
  #queuedBytes = 0;
  #unfinishedBytes = 0;
  /** Messages that the others cause it to send. */
  #expected = 0;
  /** Wall-clock ms, since it was first slowed; null: it is not slowed. */
  #slowedSince: number | null = null;
  /** Wall-clock ms. */
  #slowedLast = 0;
  #cancelResume = () => {};
  #stopped = false;

  constructor(options: SocketIntakeOptions) {
    this.#options = options;
    this.#rate = new Rate(options.limits.maxMessagesPerSecondPerConnection, options.scheduler);
  }

  /** A message came. Whoever sends more than that is read no further for a while, and the sender waits. */
  meter(text: string): void {
    const budget = this.#options.budget();
    const count = this.#expected > 0 ? 0 : 1;
    if (count === 0) this.#expected--;
    this.#rate.take(count);
    budget.take(count, text.length);
    if (!this.#pausedFor.has('rate') || this.#owesTooMuch) this.#slowDown();
  }

  /** It was told of a change, which clients acknowledge: who listens to many does not send too much for it. */
  expectAck(): void {
    if (this.#expected < MAX_EXPECTED) this.#expected++;
  }

  /** A message waits to be worked off. Stop reading where too much does, rather than have the server's memory grow. */
  queued(text: string): void {
    this.#count(heldBytes(text));
  }

  /** A message was worked off. */
  done(text: string): void {
    this.#count(-heldBytes(text));
  }

  /** So many bytes came of a message that is not whole. False: the user has too much under way. */
  unfinished(bytes: number): boolean {
    const budget = this.#options.budget();
    if (!budget.hold(bytes - this.#unfinishedBytes)) return false;
    this.#unfinishedBytes = bytes;
    return true;
  }

  /** Take nothing more in. */
  drain(): void {
    this.#pause('closing');
  }

  /** The socket is gone. */
  stop(): void {
    this.#stopped = true;
    this.#cancelResume();
    if (this.#unfinishedBytes > 0) this.#options.budget().letGo(this.#unfinishedBytes);
    this.#unfinishedBytes = 0;
  }

  #count(bytes: number): void {
    const { maxQueuedBytesPerConnection } = this.#options.limits;
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > maxQueuedBytesPerConnection) this.#pause('queue');
    else if (this.#queuedBytes <= maxQueuedBytesPerConnection / 2) this.#resume('queue');
  }

  get #waitMs(): number {
    return Math.max(this.#rate.waitMs, this.#options.budget().waitMs);
  }

  /** Whether it would be slowed for longer than anybody need be: also where the transport cannot stop reading. */
  get #owesTooMuch(): boolean {
    const { limits, scheduler } = this.#options;
    if (this.#slowedSince === null) return false;
    return scheduler.now() + this.#waitMs - this.#slowedSince > limits.maxSlowedSeconds * 1_000;
  }

  #slowDown(): void {
    if (this.#stopped) return;
    const { scheduler, limits, flooded } = this.#options;
    const waitMs = this.#waitMs;
    const now = scheduler.now();
    if (waitMs === 0) {
      this.#resume('rate');
      return;
    }
    if (now - this.#slowedLast > BURST_SECONDS * 1_000) this.#slowedSince = null;
    this.#slowedSince ??= now;
    this.#slowedLast = now + waitMs;
    this.#pause('rate');
    this.#cancelResume();
    if (this.#owesTooMuch) flooded(slowedTooLong(limits));
    else this.#cancelResume = scheduler.after(waitMs, () => this.#slowDown());
  }

  #pause(reason: 'queue' | 'rate' | 'closing'): void {
    if (this.#pausedFor.size === 0) this.#options.transport.pause();
    this.#pausedFor.add(reason);
  }

  #resume(reason: 'queue' | 'rate'): void {
    if (this.#pausedFor.delete(reason) && this.#pausedFor.size === 0) this.#options.transport.resume();
  }
}

/** More than a client leaves open; one that never acknowledges may not save up for a flood. */
const MAX_EXPECTED = 10_000;

/** What waits is more than its text: millions of the shortest messages would fill the memory long before their texts do. */
const heldBytes = (text: string): number => text.length + 1024;

const slowedTooLong = ({ maxSlowedSeconds }: Limits): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Busy,
    `This client sent too much for over ${maxSlowedSeconds} s. Connect again, and send less.`,
  );
