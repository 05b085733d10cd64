import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Storage } from '@verdant-web/core';
import { sqlShardStorage, sqlStorage } from '@verdant-web/server/storage';

export type StorageKind = 'sharded' | 'unified';
export type Durability = 'full' | 'normal';

/** What is broken on purpose, to see whether it is found. */
export type Planted = 'synchronous off' | 'no sync of files and folders';

/** What is recorded. */
export interface Recording {
  kind: StorageKind;
  durability: Durability;
  planted?: Planted;
  seed: number;
  /** How much happens. */
  messages: number;
}

/** The storage of a recording, and of what is found after the power was cut. */
export const openStorage = (root: string, kind: StorageKind, durability: Durability): Storage =>
  kind === 'sharded'
    ? // Few files stay open: closing one copies its log into it, and removes that.
      sqlShardStorage({ databasesDirectory: join(root, 'databases'), durability, maxOpenDatabases: 3 })
    : sqlStorage({ databaseFile: join(root, 'databases', 'verdant.sqlite'), durability });

/** Runs the recorded program. Resolves with where its journal is; its files are in `folder` under `recorded`. */
export async function record(recording: Recording, recorder: string, folder: string): Promise<string> {
  const root = join(folder, 'recorded');
  const journal = join(folder, 'journal');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const program = fileURLToPath(new URL('recorded-program.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(recording), root], {
    // Where `tsx` is found from.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LD_PRELOAD: recorder,
      POWER_LOSS_ROOT: root,
      POWER_LOSS_JOURNAL: journal,
    },
  });
  let output = '';
  child.stderr.on('data', (text) => {
    output += text;
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code !== 0) throw new Error(`The recorded program ended with ${code ?? signal}:\n${output}`);
  return journal;
}
