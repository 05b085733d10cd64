import { authzKeyFor, type ReplicaId, type VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { RestingSocket } from './hibernation.js';
import { asVerdantError } from './library/as-verdant-error.js';
import type { Caller, SocketConnection } from './library/connection.js';
import { Delivery } from './library/delivery.js';
import type { Inbound } from './library/inbound.js';
import type { LiveLibrary } from './library/live-library.js';
import { Outbox } from './library/outbox.js';
import { readFrame } from './library/read-message.js';
import { replicaOf } from './library/state.js';
import type { Unit } from './library/unit.js';
import { encodeMessage } from './library/wire.js';
import type { Limits } from './limits.js';
import type { Log } from './log.js';
import { logRefusal } from './log-refusal.js';
import type { Refusals } from './refusals.js';
import type { Services } from './services.js';
import { SocketIntake } from './socket-intake.js';
import type { OperationRow } from './storage/rows.js';
import type { SocketSession, SocketTransport } from './transport.js';
import type { UserBudget } from './user-budgets.js';

/** Who the token says is speaking. */
export const callerOf = ({ userId, type, role }: VerifiedToken): Caller => ({
  userId,
  type,
  role,
  authz: authzKeyFor(userId),
});

export interface SessionOptions {
  token: VerifiedToken;
  transport: SocketTransport;
  services: Services;
  /** What lines about this socket are logged through. */
  log: Log;
  refusals: Refusals;
  /** What its user may send. */
  budget: () => UserBudget;
  /** The library, held; rejects where it cannot be opened. Null: {@link Session.resume} brings it. */
  library: Promise<LiveLibrary> | null;
  /** How long after its `exp` a token is still good, in ms. */
  toleranceMs: number;
  /** The socket is gone. Called once. */
  onClosed(): void;
}

/** One socket: queues what arrives until the library is open, hands it over in order, and closes when the token expires. */
export class Session implements SocketSession, SocketConnection {
  readonly kind = 'socket';
  readonly caller: Caller;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly delivery = new Delivery();
  replicaId: ReplicaId | null = null;
  synced = false;
  readonly #options: SessionOptions;
  #library: LiveLibrary | null = null;
  #epoch = 0;
  #state: 'open' | 'refused' | 'closed' = 'open';
  #early: string[] = [];
  readonly #intake: SocketIntake;
  #cancelExpiry = () => {};
  #letGo = () => {};

  constructor(options: SessionOptions) {
    this.#options = options;
    this.caller = callerOf(options.token);
    this.log = this.#boundLog();
    this.outbox = new Outbox(options.transport, {
      maxBytes: options.services.settings.limits.maxSocketBufferBytes,
      overflow: () => this.close(1013, 'This client reads too slowly. Sync again.'),
      failed: (error) => this.refuse(asVerdantError(error)),
    });
    this.#intake = new SocketIntake({
      transport: options.transport,
      limits: options.services.settings.limits,
      scheduler: options.services.scheduler,
      budget: options.budget,
      flooded: (error) => this.refuse(error),
    });
    this.log.debug?.({ type: this.caller.type }, 'A socket is connected.');
    this.#closeOnExpiry();
    if (options.library) void this.#open(options.library);
  }

  /** What it was opened with. */
  get token(): VerifiedToken {
    return this.#options.token;
  }

  get refused(): boolean {
    return this.#state === 'refused';
  }

  receive(text: string): void {
    if (this.#state === 'closed') return;
    this.#intake.meter(text);
    if (this.#state !== 'open') {
      this.#answerHeld(text);
      return;
    }
    this.#intake.queued(text);
    this.#library?.heard(this);
    if (this.#library) this.#library.receive(this.#unit(text));
    else this.#early.push(text);
  }

  unfinished(bytes: number): void {
    if (this.#state === 'closed' || this.#intake.unfinished(bytes)) return;
    // Not held: that would keep what has come in memory.
    this.close(1013, 'This user has too much under way. Send this again later.');
  }

  expectAck(): void {
    this.#intake.expectAck();
  }

  refuse(error: VerdantError): void {
    if (this.#state !== 'open') return;
    const { refusals, token, transport } = this.#options;
    logRefusal(this.log, error, 'A socket is refused.');
    this.#state = 'refused';
    this.#leave(false);
    const who = this.replicaId ?? token.userId;
    this.#letGo = refusals.hold(`${token.libraryId}\n${who}`, () => {
      transport.close(closeCode(error), error.message);
    });
  }

  close(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.log.debug?.({ code, reason }, 'A socket is closed.');
    this.#end(false);
    this.#options.transport.close(code, reason);
  }

  /** Take nothing more in: what has arrived is still worked off. */
  drain(): void {
    if (this.#state === 'open') this.#intake.drain();
  }

  closed(tookLeave: boolean): void {
    if (this.#state === 'closed') return;
    this.log.debug?.({ tookLeave }, 'A socket is gone.');
    this.#end(tookLeave);
  }

  /** What has to outlive the process, where the socket does. Null: it cannot be taken up again as it is. */
  rest(): RestingSocket | null {
    if (this.#state !== 'open' || !this.#library || this.outbox.isSending) return null;
    const delivery = this.delivery.rest();
    if (delivery === null) return null;
    const { token, replicaId, synced } = this;
    const counted = replicaId !== null && this.#library.state.counted.has(replicaId);
    return { token, epoch: this.#epoch, replicaId, synced, counted, delivery };
  }

  /** Is in the library as the socket was that rested. The library is held for it. */
  resume(library: LiveLibrary, resting: RestingSocket, owed: readonly OperationRow[]): void {
    this.#library = library;
    this.#epoch = resting.epoch;
    library.roll.enter(this);
    if (resting.replicaId !== null) library.roll.identify(this, resting.replicaId);
    this.synced = resting.synced;
    this.delivery.resume(resting.delivery, owed);
    if (resting.counted && replicaOf(this, library.state)) library.state.counted.add(resting.replicaId!);
  }

  #boundLog(): Log {
    const { log, token } = this.#options;
    const { libraryId, userId } = token;
    // Made when a line is first written: most sockets are at rest, and many.
    let connectionId: string | undefined;
    return log.with(() => {
      connectionId ??= crypto.randomUUID();
      return { libraryId, userId, connectionId, replicaId: this.replicaId };
    });
  }

  async #open(library: Promise<LiveLibrary>): Promise<void> {
    const { services, token } = this.#options;
    try {
      const [opened] = await Promise.all([library, services.profiles.prepare(token.userId)]);
      if (this.#state !== 'open') {
        opened.release();
        return;
      }
      this.#library = opened;
      this.#epoch = opened.state.head.epoch;
      opened.roll.enter(this);
      for (const text of this.#early.splice(0)) opened.receive(this.#unit(text));
    } catch (error) {
      this.refuse(asVerdantError(error));
    }
  }

  /** Held before it is closed: heartbeats are answered, as long as the answers are read. */
  #answerHeld(text: string): void {
    const { transport } = this.#options;
    if (!isHeartbeat(text) || transport.bufferedBytes > MAX_HELD_BUFFER_BYTES) return;
    transport.send(encodeMessage({ type: 'heartbeat-response' }));
  }

  #unit(text: string): Unit {
    return new Frame(this, this.#epoch, text, this.#options.services.settings.limits);
  }

  /** A frame was worked off. */
  workedOff(text: string): void {
    this.#intake.done(text);
  }

  #closeOnExpiry(): void {
    const { services, token, toleranceMs } = this.#options;
    if (!services.settings.closeSocketsOnTokenExpiry) return;
    const left = token.expiresAt + toleranceMs - services.scheduler.now();
    this.#cancelExpiry = services.scheduler.after(Math.max(0, left), () => {
      this.close(
        VerdantErrorCode.TokenExpired,
        'The access token has expired. Fetch a fresh one and connect again.',
      );
    });
  }

  #end(tookLeave: boolean): void {
    this.#state = 'closed';
    this.#letGo();
    this.#intake.stop();
    this.#leave(tookLeave);
    this.#options.onClosed();
  }

  #leave(tookLeave: boolean): void {
    this.#cancelExpiry();
    this.outbox.close();
    this.#early = [];
    if (this.#library) {
      this.#library.leave(this, tookLeave);
      this.#library.release();
      this.#library = null;
    }
  }
}

/**
 * So short are acks and heartbeats. Each of a library's sockets acknowledges what each of the others has written: were that
 * counted as a change is, a batch would have room for few changes, each would be told by itself, and for each of
 * these messages come as many acks.
 */
const SHORT_TEXT = 160;
const SHORT_SIZE = 1 / 8;

/** What came in one frame. */
class Frame implements Unit {
  readonly connection: Session;
  readonly epoch: number;
  readonly #text: string;
  readonly #limits: Limits;

  constructor(session: Session, epoch: number, text: string, limits: Limits) {
    this.connection = session;
    this.epoch = epoch;
    this.#text = text;
    this.#limits = limits;
  }

  get size(): number {
    return this.#text.length < SHORT_TEXT ? SHORT_SIZE : 1;
  }

  get long(): Unit['long'] {
    const isLong = this.#text.length > this.#limits.maxWholeMessageLength;
    return isLong ? { text: this.#text, place: 'message' } : null;
  }

  read(): Inbound[] {
    const inbound = readFrame(this.connection, this.#text, this.#limits);
    return inbound ? [inbound] : [];
  }

  answer(message: string | AsyncIterable<string>): void {
    const { outbox } = this.connection;
    if (typeof message === 'string') outbox.send(message);
    else outbox.stream(message);
  }

  done(): void {
    this.connection.workedOff(this.#text);
  }

  failed(error: VerdantError): void {
    this.connection.workedOff(this.#text);
    this.connection.refuse(error);
  }
}

const MAX_HELD_BUFFER_BYTES = 16 * 1024;

/** The WebSocket close code for an error: its own where that is allowed, "try again later" and "internal error" else. */
export const closeCode = (error: VerdantError): number =>
  error.code < 5000 ? error.code : error.status === 503 ? 1013 : 1011;

function isHeartbeat(text: string): boolean {
  if (text.length > 200) return false;
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type === 'heartbeat';
  } catch {
    return false;
  }
}
