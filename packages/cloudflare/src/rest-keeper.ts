import type { RestingPresence, RestingSocket, SocketSession, Verdant } from '@verdant-web/core';
import type { ObjectFacts } from './object-facts.js';
import type { ObjectScheduler } from './object-scheduler.js';
import type { ObjectSocket, ObjectState } from './platform.js';
import { ObjectSocketTransport } from './socket-transport.js';
import { merged, PRESENCE, split } from './stored-presence.js';

/** Nothing happened for so long: what the object has in memory only is saved. The runtime takes memory away after 10 s. */
const REST_AFTER_MS = 2_000;

export interface RestKeeperOptions {
  state: ObjectState;
  facts: ObjectFacts;
  scheduler: ObjectScheduler;
  core: Verdant;
  /** The library's id; null: it is not known yet, and so there is nothing to keep. */
  libraryId: () => string | null;
  /** How long presence of who polls outlives the last poll, in ms. */
  leaseMs: number;
  /** When (ms) files have to be deleted that nothing refers to, where nobody is connected; null: there are none. */
  nextExpiry: () => number | null;
  /** When (ms) to try again to delete what was evicted, whoever is connected; null: nothing is left of that. */
  nextReclaim: () => number | null;
}

/**
 * Sees to it that an object that has left memory goes on as if it had not: a socket's state is attached to the socket,
 * presence is in the database, and an alarm wakes the object for what is due.
 */
export class RestKeeper {
  readonly #options: RestKeeperOptions;
  readonly #sockets = new Map<SocketSession, ObjectSocket>();
  readonly #transports = new Map<ObjectSocket, ObjectSocketTransport>();
  /** What is stored, by user. */
  #presence = new Map<string, string>();
  #alarmAt: number | null = null;
  #cancel = () => {};
  /** Settles when nothing is being saved any more. Never rejects. */
  #saved: Promise<void> = Promise.resolve();

  constructor(options: RestKeeperOptions) {
    this.#options = options;
  }

  /** The socket belongs to this session. */
  add(socket: ObjectSocket, transport: ObjectSocketTransport, session: SocketSession): void {
    transport.connect(session);
    this.#sockets.set(session, socket);
    this.#transports.set(socket, transport);
  }

  /** The transport of a socket; undefined: it was not taken up again, and has been closed. */
  transportOf(socket: ObjectSocket): ObjectSocketTransport | undefined {
    return this.#transports.get(socket);
  }

  remove(socket: ObjectSocket): void {
    const session = this.#transports.get(socket)?.session;
    if (session) this.#sockets.delete(session);
    this.#transports.delete(socket);
  }

  /** Something happened: what is in memory is saved once it is quiet. */
  touch(): void {
    this.#cancel();
    this.#cancel = this.#options.scheduler.after(REST_AFTER_MS, () => void this.save());
  }

  /** Take up what an earlier life of the object has left. */
  async restore(): Promise<void> {
    const { state, facts, core, libraryId } = this.#options;
    const sockets = state.getWebSockets();
    this.#presence = facts.startingWith(PRESENCE);
    const id = libraryId();
    if (id === null || (sockets.length === 0 && this.#presence.size === 0)) return;
    const resting: { socket: ObjectSocket; transport: ObjectSocketTransport; resting: RestingSocket }[] = [];
    for (const socket of sockets) {
      const attached = socket.deserializeAttachment() as RestingSocket | null;
      const transport = new ObjectSocketTransport(socket);
      if (attached) resting.push({ socket, transport, resting: attached });
      else transport.close(1012, 'The server could not keep this connection. Sync again.');
    }
    const sessions = await core.hibernation.restore(id, merged(this.#presence), resting);
    for (const [index, session] of sessions.entries()) {
      const { socket, transport } = resting[index]!;
      if (session) this.add(socket, transport, session);
    }
    this.touch();
  }

  /** Save what is in memory only, and set the alarm. Never rejects. */
  save(): Promise<void> {
    this.#saved = this.#saved.then(async () => {
      try {
        await this.#save();
      } catch (error) {
        // What was saved before stays: whoever does not fit it any more connects again.
        this.#options.core.log.error?.(
          { err: error },
          'What has to outlive this object in memory could not be saved.',
        );
      }
    });
    return this.#saved;
  }

  async #save(): Promise<void> {
    const { core, libraryId } = this.#options;
    const id = libraryId();
    if (id === null) return;
    const { presence, foldableAt, sockets } = await core.hibernation.save(id);
    try {
      for (const [session, resting] of sockets) {
        const socket = this.#sockets.get(session);
        // What is held would be lost, and its client would wait for it in vain.
        const isHolding = socket && this.#transports.get(socket)?.isHolding;
        if (socket) attach(socket, isHolding ? null : resting);
      }
      this.#keep(presence);
    } finally {
      // Without it nobody would be told that the token or the poller of another is over.
      await this.#setAlarm(sockets.size > 0 || presence.leases.length > 0, foldableAt);
    }
  }

  /** Rows are written for those alone whose presence has changed. */
  #keep(presence: RestingPresence): void {
    const { facts, leaseMs } = this.#options;
    const now = split(presence, leaseMs / LEASE_STEPS);
    for (const name of this.#presence.keys()) if (!now.has(name)) facts.delete(name);
    for (const [name, value] of now) if (this.#presence.get(name) !== value) facts.set(name, value);
    this.#presence = now;
  }

  async #setAlarm(isSomebodyHere: boolean, foldableAt: number | null): Promise<void> {
    const { state, scheduler, nextExpiry, nextReclaim } = this.#options;
    const due = isSomebodyHere ? scheduler.nextAt : earlierOf(foldableAt, nextExpiry());
    const at = earlierOf(due, nextReclaim());
    if (at === this.#alarmAt) return;
    this.#alarmAt = at;
    if (at === null) await state.storage.deleteAlarm();
    else await state.storage.setAlarm(at);
  }

  /** The alarm has gone off. Until it was handled, and {@link save} has set the next, there is none. */
  alarmWentOff(): void {
    this.#alarmAt = null;
    this.touch();
  }
}

const earlierOf = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/**
 * The runtime alone knows how much it can keep with a socket: strings take one byte a character, or two. What is too large is
 * not kept: the socket is closed when the object wakes, and its client connects again.
 */
function attach(socket: ObjectSocket, resting: RestingSocket | null): void {
  try {
    socket.serializeAttachment(resting);
  } catch {
    // Nor may what was attached before stay: it is of another moment.
    if (resting !== null) attach(socket, null);
  }
}

/** Leases are renewed with each poll. What is stored ends up to a step later, so that not each of them writes a row. */
const LEASE_STEPS = 5;
