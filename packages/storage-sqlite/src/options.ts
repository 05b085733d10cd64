import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { makeDirectories } from './durable-file.js';
import type { Durability } from './pragmas.js';

/** No JavaScript string can be longer; SQLite itself would take 1 GB. */
export const MAX_VALUE_BYTES = 2 ** 29 - 24;

export const configurationError = (message: string, cause?: unknown): VerdantError =>
  new VerdantError(VerdantErrorCode.Configuration, message, { cause });

export function assertPath(value: unknown, option: string): asserts value is string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
  throw configurationError(`${option} is missing or empty. Set it to a path that this process may write.`);
}

export function assertDurability(value: unknown): asserts value is Durability {
  if (value === 'full' || value === 'normal') return;
  throw configurationError(
    `durability is ${JSON.stringify(value)}. Set it to 'full' or 'normal', or leave it out.`,
  );
}

/** Creates a directory, with its parents, unless it is there. Durably. */
export function ensureDirectory(path: string, option: string): void {
  try {
    makeDirectories(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw configurationError(
      `${option}: ${path} is not a directory and cannot be made one (${reason}). Set it to a directory that this process may write.`,
      error,
    );
  }
}
