import {
  type BaselineRow,
  emptyHead,
  type FileRow,
  type Head,
  type OperationRow,
  type ReplicaRow,
} from '@verdant-web/core';
import type { LibraryId, ReplicaId, Timestamp, UserId } from '@verdant-web/protocol';
import { LibraryImport, type SqlDatabase } from '@verdant-web/storage-sql';
import { DocumentAccess } from './document-access.js';
import { HeldOperations } from './held-operations.js';
import {
  announcedAck,
  markTruants,
  type OriginalReplica,
  type Outcome,
  readReplica,
  replicaRow,
} from './original-replica.js';
import type { RawBaseline, RawFile, RawOperation, SourceLibrary } from './source-library.js';
import {
  EARLIEST,
  isSnapshot,
  usableAuthz,
  usableCount,
  usableId,
  usableOid,
  usablePatch,
  usableTimestamp,
} from './usable-rows.js';

/** How many rows of each kind were taken over, and how many of all kinds could not be used. */
export interface Converted {
  operations: number;
  baselines: number;
  replicas: number;
  files: number;
  leftOut: number;
}

const ROWS_AT_ONCE = 200;
/** A few rows may be as large as all others together. */
const CHARACTERS_AT_ONCE = 1024 * 1024;

/** Writes a library of the original server into a database of ours, inside of a transaction of the caller's. */
export function convertLibrary(
  source: SourceLibrary,
  target: SqlDatabase,
  id: LibraryId,
  now: number,
): Converted {
  return new Conversion(source, target, id, now).run();
}

class Conversion {
  readonly #source: SourceLibrary;
  readonly #import: LibraryImport;
  readonly #replicas: OriginalReplica[] = [];
  readonly #userOf = new Map<ReplicaId, UserId>();
  readonly #users: Set<UserId>;
  readonly #access = new DocumentAccess();
  readonly #settled: Timestamp | null;
  /** The latest time of anything that was written. */
  #latest: Timestamp | null = null;
  readonly #converted: Converted = { operations: 0, baselines: 0, replicas: 0, files: 0, leftOut: 0 };

  constructor(source: SourceLibrary, target: SqlDatabase, id: LibraryId, now: number) {
    this.#source = source;
    this.#import = new LibraryImport(target, id, emptyHead);
    for (const row of source.replicas()) {
      const replica = readReplica(row, now);
      if (replica) this.#replicas.push(replica);
      else this.#converted.leftOut++;
    }
    markTruants(this.#replicas);
    for (const { id: replicaId, userId } of this.#replicas) this.#userOf.set(replicaId, userId);
    this.#users = new Set(this.#userOf.values());
    this.#settled = announcedAck(this.#replicas);
  }

  run(): Converted {
    if (this.#source.hasAuthz()) this.#readAccess();
    const latestBaseline = this.#writeBaselines();
    const foldedThrough = this.#converted.baselines > 0 || this.#foldedToNothing() ? 1 : 0;
    const held = new HeldOperations(this.#replicas, this.#source.highestOrder(), this.#settled);
    const soleAuthor = this.#writeOperations(foldedThrough, held);
    const order = foldedThrough + this.#converted.operations;
    const outcome = { foldedThrough, order, latestBaseline, announcedAck: this.#settled };
    this.#writeReplicas(held, outcome);
    this.#import.add({ access: this.#access.rows });
    this.#writeFiles();
    this.#import.finish(this.#head(order, foldedThrough, soleAuthor));
    return this.#converted;
  }

  /** Everything was deleted, and that was folded: replicas have acknowledged operations that are no more. */
  #foldedToNothing(): boolean {
    return !this.#source.hasOperations() && this.#replicas.some(({ ackedOrder }) => ackedOrder > 0);
  }

  #head(order: number, foldedThrough: number, soleAuthor: ReplicaId | null): Head {
    return {
      ...emptyHead,
      version: 1,
      founded: order > 0,
      order,
      foldedThrough,
      announcedAck: order > 0 ? this.#settled : null,
      latest: this.#latest,
      // What a device was given with a reset it may have folded.
      horizon: latestOf(this.#latest, this.#settled),
      // What is only in baselines may be anybody's.
      soleAuthor: foldedThrough === 0 ? soleAuthor : null,
      operations: this.#converted.operations,
      baselines: this.#converted.baselines,
    };
  }

  #readAccess(): void {
    for (const row of this.#source.baselines()) {
      const baseline = this.#baseline(row);
      if (baseline) this.#access.baseline(baseline.oid, baseline.authz);
    }
    for (const row of this.#source.operations(this.#settled ?? '')) {
      const operation = this.#operation(row);
      if (operation) this.#access.operation(operation.oid, operation.patch, operation.authz);
    }
  }

  /** Returns the latest of their timestamps. */
  #writeBaselines(): Timestamp | null {
    let latest: Timestamp | null = null;
    const batch = new Batch<BaselineRow>((baselines) => this.#import.add({ baselines }));
    for (const row of this.#source.baselines()) {
      const baseline = this.#baseline(row);
      if (!baseline) {
        // An object that was deleted may have a row without a snapshot.
        if (row[2] !== null) this.#converted.leftOut++;
        continue;
      }
      if (latest === null || baseline.timestamp > latest) latest = baseline.timestamp;
      this.#latest = latestOf(this.#latest, baseline.timestamp);
      const authz = this.#access.keyOf(baseline.oid, baseline.authz);
      batch.add({ ...baseline, authz }, baseline.snapshot.length);
      this.#converted.baselines++;
    }
    batch.end();
    return latest;
  }

  /** Returns the one replica that wrote them all; null where there were several, or none. */
  #writeOperations(foldedThrough: number, held: HeldOperations): ReplicaId | null {
    const authors = new Set<ReplicaId>();
    const batch = new Batch<OperationRow>((operations) => this.#import.add({ operations }));
    for (const row of this.#source.operations(this.#settled ?? '')) {
      const operation = this.#operation(row);
      if (!operation) {
        this.#converted.leftOut++;
        continue;
      }
      const { replicaId, oid, timestamp, data, authz } = operation;
      held.pass({ replicaId, timestamp, original: row[5] });
      this.#latest = latestOf(this.#latest, timestamp);
      authors.add(replicaId);
      const order = foldedThrough + ++this.#converted.operations;
      const key = this.#access.keyOf(oid, authz);
      batch.add({ order, replicaId, oid, timestamp, data, authz: key }, data.length);
    }
    batch.end();
    const [first] = authors;
    return authors.size === 1 ? first! : null;
  }

  #writeReplicas(held: HeldOperations, outcome: Outcome): void {
    const batch = new Batch<ReplicaRow>((replicas) => this.#import.add({ replicas }));
    for (const replica of this.#replicas) {
      batch.add(replicaRow(replica, held.holdingsOf(replica), outcome));
    }
    batch.end();
    this.#converted.replicas = this.#replicas.length;
  }

  #writeFiles(): void {
    const batch = new Batch<FileRow>((files) => this.#import.add({ files }));
    for (const row of this.#source.files()) {
      const file = usableFile(row);
      if (file) {
        batch.add(file);
        this.#converted.files++;
      } else this.#converted.leftOut++;
    }
    batch.end();
  }

  #baseline([rawOid, rawTimestamp, snapshot, rawAuthz]: RawBaseline): BaselineRow | null {
    const oid = usableOid(rawOid);
    if (oid === null || !isSnapshot(snapshot)) return null;
    // One of an unreadable time is good still, and older than every change to it.
    const timestamp = usableTimestamp(rawTimestamp) ?? EARLIEST;
    const [only = null] = this.#users;
    const author = this.#users.size === 1 ? only : null;
    return { oid, timestamp, snapshot, authz: usableAuthz(rawAuthz, author, this.#users) };
  }

  #operation([rawReplica, rawOid, rawTimestamp, data, rawAuthz]: RawOperation) {
    const [replicaId, oid] = [usableId(rawReplica) as ReplicaId | null, usableOid(rawOid)];
    const [timestamp, patch] = [usableTimestamp(rawTimestamp), usablePatch(data)];
    if (replicaId === null || oid === null || timestamp === null || patch === null) return null;
    const authz = usableAuthz(rawAuthz, this.#userOf.get(replicaId) ?? null, this.#users);
    return { replicaId, oid, timestamp, patch, data: data as string, authz };
  }
}

const latestOf = (a: Timestamp | null, b: Timestamp | null): Timestamp | null =>
  a === null || (b !== null && b > a) ? b : a;

function usableFile([rawId, rawName, rawType, pendingDeleteAt]: RawFile): FileRow | null {
  const id = usableId(rawId);
  if (id === null) return null;
  return {
    id,
    name: usableId(rawName) ?? '',
    type: usableId(rawType) ?? '',
    // The original server did not measure it.
    size: null,
    pendingDeleteAt: usableCount(pendingDeleteAt),
  };
}

/** Rows are written some at a time. */
class Batch<Row> {
  readonly #write: (rows: readonly Row[]) => void;
  #rows: Row[] = [];
  #characters = 0;

  constructor(write: (rows: readonly Row[]) => void) {
    this.#write = write;
  }

  add(row: Row, characters = 0): void {
    this.#rows.push(row);
    this.#characters += characters;
    if (this.#rows.length >= ROWS_AT_ONCE || this.#characters >= CHARACTERS_AT_ONCE) this.end();
  }

  end(): void {
    if (this.#rows.length > 0) this.#write(this.#rows);
    this.#rows = [];
    this.#characters = 0;
  }
}
