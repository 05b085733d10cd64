import { join } from 'node:path';
import type { Storage } from '@verdant-web/core';
import { sqlShardStorage, sqlStorage } from '@verdant-web/server/storage';

/** What these tests run on, and which file a library is in. */
export const storages = {
  sharded: {
    open: (directory: string): Storage => sqlShardStorage({ databasesDirectory: directory }),
    fileOf: (directory: string, library: string) => join(directory, `${library}.sqlite`),
  },
  unified: {
    open: (directory: string): Storage => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
    fileOf: (directory: string, _library: string) => join(directory, 'verdant.sqlite'),
  },
};

export const kinds = ['sharded', 'unified'] as const;
