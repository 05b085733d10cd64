import type { Library } from '@verdant-web/core';

/** What a library is kept in; `workerd`: in a Durable Object, with all of the server around it. */
export type StorageKind = 'memory' | 'sharded' | 'unified' | 'workerd';

export interface TargetOptions {
  /** Default: `sharded`. */
  storage?: StorageKind;
  replicaTruancyMinutes?: number;
  fileDeleteExpirationDays?: number;
  presenceLeaseMs?: number;
}

/** A server that scenarios run against, wherever it runs: reached over the network, and by what its operator may do. */
export interface ServerTarget {
  /** Without a slash at its end. Tokens send clients to the host and port by which they asked for them. */
  readonly base: string;
  /** What the server logged as an error. */
  readonly errors: readonly string[];
  library(id: string): Omit<Library, 'id'>;
  evict(libraryId: string): Promise<void>;
  /** Whether the bytes of an uploaded file are kept anywhere. */
  keepsFile(fileId: string): Promise<boolean>;
  /** Everything goes and comes back on the same port and data, as in a deployment. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}
