import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Gives a file that is complete its name, durably: it is there whole, or not at all. */
export function putInPlace(complete: string, path: string): void {
  syncPath(complete, 'r+');
  renameSync(complete, path);
  syncNames(dirname(path));
}

/**
 * Creates a directory, and those above it that are missing, durably. One by one: the `recursive` of Node 20 loops for ever
 * below `/proc` and the like.
 */
export function makeDirectories(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectories(dirname(path));
  mkdirSync(path);
  // Else the loss of power takes the directory, and everything that was synced in it.
  syncNames(dirname(path));
}

/** Makes the names in a directory durable. Windows cannot, and need not. */
export function syncNames(directory: string): void {
  if (process.platform !== 'win32') syncPath(directory, 'r');
}

function syncPath(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
