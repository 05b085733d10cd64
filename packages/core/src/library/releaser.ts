import {
  type Baseline,
  type Operation,
  type ReplicaId,
  SERVER_REPLICA_ID,
  type ServerOrder,
  type VerdantError,
} from '@verdant-web/protocol';
import type { ChangeInfo } from '../events.js';
import { deleteExpiredFiles } from '../files/clean-up.js';
import type { BaselineRow, OperationRow } from '../storage/rows.js';
import type { AdmittedOperation } from './admission.js';
import { broadcastChanges, type Changes } from './broadcast.js';
import type { Caller, Connection, SocketConnection } from './connection.js';
import { type SentReply, sentOperation } from './delivery.js';
import type { Effect, SyncReply } from './effects.js';
import type { StagedContent } from './founding.js';
import type { LiveLibrary } from './live-library.js';
import { pendingReset } from './pending-replies.js';
import { emptyReply, foundingPieces, replyPieces } from './reply.js';
import { changeSoftly, replicaOf } from './state.js';
import type { Unit } from './unit.js';
import { encodeMessage, encodeOperation, encodeRebroadcast } from './wire.js';

interface Gathered {
  changes: Changes & { operations: AdmittedOperation[] };
  author: Connection;
  /** Of the patches, in UTF-16 units. */
  length: number;
}

/** Lets the world hear what was decided, once it is durable. */
export class Releaser {
  readonly #library: LiveLibrary;
  /** What the others are still to be told of. */
  #gathered: Gathered | null = null;

  constructor(library: LiveLibrary) {
    this.#library = library;
  }

  /** Others may hear of changes later than this returns: once {@link tellOthers} is called, or what comes next is not for its author alone. */
  release(effect: Effect, unit: Unit): void {
    const { connection } = unit;
    if (!FOR_THE_AUTHOR.has(effect.kind)) this.tellOthers();
    switch (effect.kind) {
      case 'heartbeat':
        unit.answer(encodeMessage({ type: 'heartbeat-response' }));
        return;
      case 'forbidden':
        connection.log.debug?.({}, 'A message is forbidden.');
        unit.answer(encodeMessage({ type: 'forbidden' }));
        return;
      case 'need-since':
        connection.log.debug?.({}, 'A sync into an empty library is asked for everything.');
        unit.answer(encodeMessage({ type: 'need-since', since: null }));
        return;
      case 'server-ack':
        unit.answer(encodeMessage({ type: 'server-ack', timestamp: effect.timestamp }));
        return;
      case 'refuse':
        this.#refuse(effect.error, unit);
        return;
      case 'presence':
        this.#announce(effect, unit);
        return;
      case 'reply':
        this.#reply(effect, unit);
        return;
      case 'changes':
        this.#changes(effect, unit);
        return;
      case 'repairs':
        this.#repairs(effect, unit);
        return;
      case 'founded':
        this.#founded(effect, unit);
        return;
      case 'proof':
        if (connection.kind === 'socket') {
          connection.delivery.acknowledge(effect.timestamp);
          // What it wrote itself before that, in the same batch, it holds now, too.
          this.holds(connection);
          this.#sendBack(connection);
        }
        return;
      case 'leave':
        if (connection.kind === 'socket') {
          this.#library.leave(connection, true);
          connection.close(1000, 'The client is disconnecting.');
        } else this.#library.roll.endLease(effect.replicaId, connection.caller.userId);
        return;
      case 'access-refused':
        this.#refusedAccess(effect, unit);
        return;
    }
  }

  /** Nobody is connected any more. */
  lastLeft(): void {
    void deleteExpiredFiles(this.#library);
  }

  #refuse(error: VerdantError, unit: Unit): void {
    const { events } = this.#library.services;
    const { connection } = unit;
    const info = {
      libraryId: this.#library.id,
      userId: connection.caller.userId,
      replicaId: connection.kind === 'socket' ? connection.replicaId : null,
      code: error.code,
      reason: error.message,
    };
    events.emit('messageRefused', info);
    unit.failed(error);
  }

  #identify({ connection }: Unit, replicaId: ReplicaId): void {
    const { roll } = this.#library;
    if (connection.kind === 'socket') roll.identify(connection, replicaId);
    else roll.renewLease(connection.caller.userId, replicaId);
  }

  #announce({ message }: Extract<Effect, { kind: 'presence' }>, unit: Unit): void {
    const { board, roll, services } = this.#library;
    const { replicaId, presence, internal } = message;
    const { userId } = unit.connection.caller;
    this.#identify(unit, replicaId);
    // Polling devices of one user learn of each other only here: the last one would hide the others.
    for (const userInfo of board.others(userId, replicaId)) {
      unit.answer(encodeMessage({ type: 'presence-changed', replicaId: userInfo.replicaId, userInfo }));
    }
    const profile = services.profiles.get(userId);
    const userInfo = board.announce(userId, replicaId, { presence, internal, profile });
    const text = encodeMessage({ type: 'presence-changed', replicaId, userInfo });
    this.#library.presence.tell(roll.sockets, userId, text, unit.connection);
    unit.answer(text);
  }

  #reply({ reply, replicaId }: Extract<Effect, { kind: 'reply' }>, unit: Unit): void {
    const library = this.#library;
    const { connection } = unit;
    this.#identify(unit, replicaId);
    const { outcome, from, through } = reply;
    connection.log.debug?.({ replicaId, outcome, from, through }, 'A sync is answered.');
    if (library.state.replicas.has(replicaId)) library.state.counted.add(replicaId);
    const sent = connection.kind === 'socket' ? this.#sendsTo(connection, reply) : null;
    if (connection.kind === 'request' && reply.overwriteLocalData) {
      library.state.resetOverHttp.set(replicaId, library.services.scheduler.now());
    }
    const told = {
      presence: library.board.all(connection.caller.userId),
      globalAck: library.state.head.announcedAck,
    };
    const empty = emptyReply(reply, told);
    if (empty !== null) unit.answer(empty);
    else {
      const { authz } = connection.caller;
      const { storage, services } = library;
      const turns = services.workToTell;
      const context = { ...told, storage, replicaId, authz, turns, pin: library.pin(), sent };
      unit.answer(replyPieces(reply, context));
    }
    if (connection.kind === 'socket') this.#sendBack(connection);
  }

  /** From here on the socket is sent what others write. Returns what has to be noted while the reply is sent. */
  #sendsTo(socket: SocketConnection, { pending, from, through }: SyncReply): SentReply | null {
    socket.synced = true;
    socket.delivery.through = through;
    if (!pending) return null;
    const sent: SentReply = { pending, from: pending.reset ? 0 : from, listed: new Map(), last: null };
    socket.delivery.sentReply(sent);
    return sent;
  }

  #changes(changes: Extract<Effect, { kind: 'changes' }>, unit: Unit): void {
    const { roll } = this.#library;
    const { connection } = unit;
    if (connection.kind === 'request') this.#identify(unit, changes.replicaId);
    if (changes.replaced) {
      this.tellOthers();
      for (const socket of [...roll.sockets]) {
        if (socket !== connection && socket.synced)
          socket.close(1012, 'The library was sent anew. Sync again.');
      }
    }
    connection.log.debug?.(
      {
        replicaId: changes.replicaId,
        operations: changes.operations.length,
        baselines: changes.baselines.length,
        serverOrder: changes.through,
      },
      'Changes are stored.',
    );
    this.#gather(changes, connection);
    this.#emit(changes, unit);
  }

  /** What one connection brings in a row is told as one message: everybody acknowledges it once. */
  #gather(changes: Changes, author: Connection): void {
    const length = changes.operations.reduce((sum, { row }) => sum + row.data.length, 0);
    const gathered = this.#gathered;
    if (
      gathered?.author === author &&
      gathered.changes.replicaId === changes.replicaId &&
      isPlain(gathered.changes) &&
      isPlain(changes) &&
      gathered.length + length <= MAX_GATHERED_LENGTH
    ) {
      gathered.length += length;
      gathered.changes.operations.push(...changes.operations);
      gathered.changes.through = changes.through;
      return;
    }
    this.tellOthers();
    this.#gathered = { changes: { ...changes, operations: [...changes.operations] }, author, length };
  }

  /** Everybody is told of what was stored up to here. */
  tellOthers(): void {
    if (this.#gathered === null) return;
    const { changes, author } = this.#gathered;
    this.#gathered = null;
    const { roll, services, log } = this.#library;
    try {
      broadcastChanges(changes, author, roll.sockets, services.scheduler.now());
      for (const socket of roll.sockets) {
        if (socket.synced) this.holds(socket);
      }
      if (changes.mayBeWiped) for (const socket of roll.sockets) this.#sendBack(socket);
    } catch (error) {
      log.error?.({ err: error }, 'Others could not be told of a change: they sync again.');
      this.#library.disconnectAll('A change could not be passed on. Sync again.');
    }
  }

  /** What the server wrote is news to everybody, to whoever made it necessary, too. */
  #repairs({ operations, through, inReply }: Extract<Effect, { kind: 'repairs' }>, unit: Unit): void {
    const { roll, services } = this.#library;
    const { connection } = unit;
    connection.log.debug?.(
      { operations: operations.length },
      'Changes came late: their objects are sent anew.',
    );
    const changes = { replicaId: SERVER_REPLICA_ID, operations, baselines: [], through, mayBeWiped: false };
    // One that is about to be answered is told by the answer, which then says how far it was told.
    const told = [...roll.sockets].filter((socket) => !(inReply && socket === connection));
    broadcastChanges(changes, null, told, services.scheduler.now());
    for (const socket of told) {
      if (socket.synced) this.holds(socket);
    }
    this.#emit(changes, unit);
  }

  /** Too much to be broadcast as values: whoever synced before is sent it from the storage, as a reply is. */
  #founded({ replicaId, staged }: Extract<Effect, { kind: 'founded' }>, unit: Unit): void {
    const library = this.#library;
    const { connection } = unit;
    if (connection.kind === 'request') this.#identify(unit, replicaId);
    for (const socket of library.roll.sockets) {
      if (!socket.synced) continue;
      if (socket !== connection) this.#sendFounding(socket, replicaId, staged, connection.caller);
      socket.delivery.through = staged.order;
    }
    if (library.services.events.hears('changes')) this.#emitFounding(replicaId, staged.order, unit);
  }

  #sendFounding(socket: SocketConnection, by: ReplicaId, staged: StagedContent, author: Caller): void {
    const { storage, services } = this.#library;
    const { authz } = socket.caller;
    // Whatever is private is the author's.
    const seesAll = authz === author.authz;
    const baselines = seesAll ? staged.baselines : staged.publicBaselines;
    const last = seesAll ? staged.last : staged.lastPublic;
    if (baselines === 0 && last === null) return;
    const isAuthor = socket.replicaId === by && socket.caller.userId === author.userId;
    const first = staged.order - staged.operations + 1;
    const left = baselines > 0 && !isAuthor ? socket.delivery.sentBaselines(first - 1) : () => {};
    const founding = {
      replicaId: by,
      through: staged.order,
      left: () => left(services.scheduler.now()),
    };
    const context = { storage, authz, turns: services.workToTell, pin: this.#library.pin() };
    socket.outbox.stream(foundingPieces(founding, context));
    if (isAuthor) return;
    // A client acknowledges the last operation that a message lists.
    if (last !== null) socket.delivery.sent(sentOperation(first, last));
  }

  /** Listeners hear of it a page at a time, before anything else that happens to the library. */
  #emitFounding(replicaId: ReplicaId, through: ServerOrder, unit: Unit): void {
    const library = this.#library;
    const { events } = library.services;
    const { userId, role } = unit.connection.caller;
    const info: ChangeInfo = { libraryId: library.id, userId, replicaId, role, serverOrder: through };
    const emitAll = async () => {
      for await (const page of library.storage.readBaselines()) {
        events.emit('changes', info, [], page.map(baselineOf));
      }
      for await (const page of library.storage.readOperations(0, through)) {
        events.emit('changes', info, page.map(operationOf), []);
      }
    };
    library.exclusively(emitAll).catch((error) => {
      library.log.error?.(
        { err: error },
        "Listeners of 'changes' were not told of all that a library was founded with.",
      );
    });
  }

  /** Where no reset is pending any more, what the replica may have lost by it is sent back to it. */
  #sendBack(socket: SocketConnection): void {
    const row = replicaOf(socket, this.#library.state);
    if (!row || !socket.synced || pendingReset(row)) return;
    const rows = socket.delivery.sendBack();
    if (rows.length > 0) socket.outbox.send(encodeRebroadcast(row.id, rows.map(encodeOperation), []));
  }

  /** What lies between operations that wait for an ack, a replica holds as soon as those before are acknowledged. */
  holds(socket: SocketConnection): void {
    const { state, services } = this.#library;
    const row = replicaOf(socket, state);
    const { held } = socket.delivery;
    if (!row || pendingReset(row) || held <= row.ackedOrder) return;
    changeSoftly(state, { ...row, ackedOrder: held }, services.scheduler.now());
  }

  #emit(changes: Changes, unit: Unit): void {
    const { replicaId, operations, baselines, through } = changes;
    const { events } = this.#library.services;
    if (!events.hears('changes')) return;
    const { userId, role } = unit.connection.caller;
    const info: ChangeInfo = { libraryId: this.#library.id, userId, replicaId, role, serverOrder: through };
    events.emit(
      'changes',
      info,
      operations.map(({ row: { oid, timestamp, authz }, patch }) => ({
        oid,
        timestamp,
        data: patch,
        ...(authz === null ? {} : { authz }),
      })),
      baselines.map(baselineOf),
    );
  }

  #refusedAccess({ replicaId, oid, authz }: Extract<Effect, { kind: 'access-refused' }>, unit: Unit): void {
    const { events } = this.#library.services;
    const { userId } = unit.connection.caller;
    unit.connection.log.warn?.(
      { replicaId },
      'An operation was refused: it would change, or grant, access to a document of somebody else.',
    );
    events.emit('accessRefused', { libraryId: this.#library.id, userId, replicaId, oid, authz });
  }
}

/** Nothing that changes what others are told, or in which order. */
const FOR_THE_AUTHOR: ReadonlySet<Effect['kind']> = new Set([
  'access-refused',
  'changes',
  'forbidden',
  'heartbeat',
  'need-since',
  'proof',
  'server-ack',
]);

const isPlain = ({ baselines, mayBeWiped }: Changes): boolean => baselines.length === 0 && !mayBeWiped;

/** Of patches in UTF-16 units, in one message. */
const MAX_GATHERED_LENGTH = 64 * 1024;

const operationOf = ({ oid, timestamp, data, authz }: OperationRow): Operation => ({
  oid,
  timestamp,
  data: JSON.parse(data),
  ...(authz === null ? {} : { authz }),
});

const baselineOf = ({ oid, timestamp, snapshot, authz }: BaselineRow): Baseline => ({
  oid,
  snapshot: JSON.parse(snapshot),
  timestamp,
  ...(authz === null ? {} : { authz }),
});
