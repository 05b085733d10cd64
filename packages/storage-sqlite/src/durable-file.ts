import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';

/** Gives a file that is complete its name, durably: it is there whole, or not at all. */
export function putInPlace(complete: string, path: string): void {
  syncPath(complete, 'r+');
  renameSync(complete, path);
  // Makes the new name durable. Windows cannot, and need not.
  if (process.platform !== 'win32') syncPath(dirname(path), 'r');
}

function syncPath(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
