import { join } from 'node:path';
import type { Storage } from '@verdant-web/core';
import { sqlShardStorage, sqlStorage } from '../index.js';

interface UsageKind {
  open(directory: string): Storage;
  /** An open database takes three: the file, its log, and the log's index. */
  maxHandles: number;
}

/** The ways to use this package that keep the contract in ways of their own. */
const kinds = {
  'sqlShardStorage, full': {
    open: (directory) => sqlShardStorage({ databasesDirectory: directory }),
    maxHandles: 3 * 1_000 + 1,
  },
  'sqlShardStorage, normal, 2 files open at most': {
    open: (directory) =>
      sqlShardStorage({ databasesDirectory: directory, durability: 'normal', maxOpenDatabases: 2 }),
    maxHandles: 3 * 2 + 1,
  },
  'sqlStorage, full': {
    open: (directory) => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
    maxHandles: 3 + 1,
  },
  'sqlStorage, normal': {
    open: (directory) =>
      sqlStorage({ databaseFile: join(directory, 'verdant.sqlite'), durability: 'normal' }),
    maxHandles: 3 + 1,
  },
} satisfies Record<string, UsageKind>;

export type Kind = keyof typeof kinds;

export const kindNames = Object.keys(kinds) as Kind[];

export const openKind = (kind: Kind, directory: string): Storage => kinds[kind].open(directory);

export const maxHandlesOf = (kind: Kind): number => kinds[kind].maxHandles;
