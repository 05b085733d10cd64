import type { RestingPresence, RestingSocket, SocketSession, Verdant } from '@verdant-web/core';
import type { ObjectFacts } from './object-facts.js';
import type { ObjectScheduler } from './object-scheduler.js';
import type { ObjectSocket, ObjectState } from './platform.js';
import { ObjectSocketTransport } from './socket-transport.js';

/** Nothing happened for so long: what the object has in memory only is saved. The runtime takes memory away after 10 s. */
const REST_AFTER_MS = 2_000;

/** Where a user's presence is kept, by the user's id. */
const PRESENCE = 'presence:';

export interface RestKeeperOptions {
  state: ObjectState;
  facts: ObjectFacts;
  scheduler: ObjectScheduler;
  core: Verdant;
  /** The library's id; null: it is not known yet, and so there is nothing to keep. */
  libraryId: () => string | null;
  /** How long presence of who polls outlives the last poll, in ms. */
  leaseMs: number;
  /** When (ms) the object has to wake though nobody is connected; null: for nothing. */
  nextCleanUp: () => Promise<number | null>;
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
  #isSaving = false;

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
    this.#cancel = this.#options.scheduler.after(REST_AFTER_MS, () => void this.#rest());
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

  async #rest(): Promise<void> {
    if (this.#isSaving) return this.touch();
    this.#isSaving = true;
    try {
      await this.#save();
    } catch (error) {
      // What was saved before stays: whoever does not fit it any more connects again.
      this.#options.core.log.error?.(
        { err: error },
        'What has to outlive this object in memory could not be saved.',
      );
    } finally {
      this.#isSaving = false;
    }
  }

  async #save(): Promise<void> {
    const { core, libraryId } = this.#options;
    const id = libraryId();
    if (id === null) return;
    const { presence, foldableAt, sockets } = await core.hibernation.save(id);
    for (const [session, resting] of sockets)
      this.#sockets.get(session)?.serializeAttachment(attachable(resting));
    this.#keep(presence);
    await this.#setAlarm(sockets.size > 0 || presence.leases.length > 0, foldableAt);
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
    const { state, scheduler, nextCleanUp } = this.#options;
    const at = isSomebodyHere ? scheduler.nextAt : earlierOf(foldableAt, await nextCleanUp());
    if (at === this.#alarmAt) return;
    this.#alarmAt = at;
    if (at === null) await state.storage.deleteAlarm();
    else await state.storage.setAlarm(at);
  }

  /** The alarm has gone off. */
  alarmWentOff(): void {
    this.#alarmAt = null;
    this.touch();
  }
}

const earlierOf = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** The runtime keeps so many bytes with a socket. */
const MAX_ATTACHED_LENGTH = 16_000;

/** Null where it is too large to be kept: the socket is closed when the object wakes, and its client connects again. */
const attachable = (resting: RestingSocket | null): RestingSocket | null =>
  resting !== null && new TextEncoder().encode(JSON.stringify(resting)).length <= MAX_ATTACHED_LENGTH
    ? resting
    : null;

/** Leases are renewed with each poll. What is stored ends up to a step later, so that not each of them writes a row. */
const LEASE_STEPS = 5;

/** Presence by user, as it is stored. */
function split({ announced, leases }: RestingPresence, stepMs: number): Map<string, string> {
  const users = new Map<string, RestingPresence>();
  const of = (userId: string): RestingPresence => {
    const name = PRESENCE + JSON.stringify(userId).slice(1, -1);
    const user = users.get(name) ?? { announced: [], leases: [] };
    users.set(name, user);
    return user;
  };
  for (const one of announced) of(one.info.id).announced.push(one);
  for (const lease of leases) {
    const until = Math.ceil(lease.until / stepMs) * stepMs;
    of(lease.userId).leases.push({ ...lease, until });
  }
  return new Map([...users].map(([name, user]) => [name, textOf(user)]));
}

/** A row has at most 2 MB. Of a user with very much to show on very many devices, the last are kept. */
function textOf({ announced, leases }: RestingPresence): string {
  for (let from = 0; ; from++) {
    const text = JSON.stringify({ announced: announced.slice(from), leases });
    if (text.length <= MAX_ROW_LENGTH || from >= announced.length) return text;
  }
}

/** In UTF-16 units, each of which is three bytes at most. */
const MAX_ROW_LENGTH = 600_000;

function merged(users: ReadonlyMap<string, string>): RestingPresence {
  const all = [...users.values()].map((text) => JSON.parse(text) as RestingPresence);
  return { announced: all.flatMap((user) => user.announced), leases: all.flatMap((user) => user.leases) };
}
