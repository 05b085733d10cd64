import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** The folder that holds everything, and the one in it for uploads that are not complete yet. */
export interface RootFolder {
  readonly root: string;
  /** On the same disk as the files, so that a finished upload moves in with one rename. */
  readonly uploads: string;
}

/** An upload that received nothing for so long was left by a process that died, not by a slow client. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Makes the folders where they are missing and clears abandoned uploads out.
 *
 * Synchronous, as it runs in a constructor: a server with an unusable folder should not start.
 *
 * @throws {VerdantError} Configuration (5010) where the folder is not named, cannot be made or cannot be written to.
 */
export const openRootFolder = (rootDirectory: string): RootFolder => {
  if (typeof rootDirectory !== 'string' || rootDirectory.trim() === '') {
    throw configurationError('LocalFileStorage needs a rootDirectory: the folder to keep files in.');
  }
  // Once, for the process may change its working directory later.
  const root = resolve(rootDirectory);
  // Begins with a dot, which no library's folder does.
  const uploads = join(root, '.tmp');
  try {
    makeFolderNow(uploads);
    accessSync(root, constants.W_OK);
    accessSync(uploads, constants.W_OK);
    clearAbandoned(uploads);
  } catch (cause) {
    throw configurationError(
      `LocalFileStorage cannot use the folder ${root}: ${cause instanceof Error ? cause.message : cause}. ` +
        'Name a folder that this process may create and write to.',
      cause,
    );
  }
  return { root, uploads };
};

/** As `makeFolder`: the loss of power would take a folder whose name is not on disk, with every file in it. */
const makeFolderNow = (path: string) => {
  const firstMade = mkdirSync(path, { recursive: true });
  if (firstMade === undefined || process.platform === 'win32') return;
  for (let made = path; made.length >= firstMade.length; made = dirname(made)) {
    const above = openSync(dirname(made), 'r');
    try {
      fsyncSync(above);
    } finally {
      closeSync(above);
    }
  }
};

const clearAbandoned = (uploads: string) => {
  for (const name of readdirSync(uploads)) {
    const path = join(uploads, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    // `force`, for another process that starts on the same folder clears it too.
    if (age > ABANDONED_AFTER_MS) rmSync(path, { recursive: true, force: true });
  }
};

const configurationError = (message: string, cause?: unknown) =>
  new VerdantError(VerdantErrorCode.Configuration, message, { cause });
