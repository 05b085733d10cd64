import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where a fault was found. */
export interface Found {
  /** The first seed whose world it breaks. */
  readonly seed: number;
  /** What is broken there first, by the name of the check. */
  readonly check: string;
}

const FILE = new URL('./found.json', import.meta.url);

/** Where each fault was found that was, by its name. Written by `pnpm simulate:mutations --record`. */
export const readFound = (): Readonly<Record<string, Found>> => JSON.parse(readFileSync(FILE, 'utf8'));

export const FOUND_FILE = fileURLToPath(FILE);
