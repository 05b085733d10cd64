import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorldKind } from '../world-kind.js';

/** A fault that somebody might make in the engine, in a few lines of its source. */
export interface Fault {
  /** What the server does wrong, as the end of "the server …". */
  readonly name: string;
  /** The rules of docs/protocol.md that it breaks. */
  readonly breaks: readonly string[];
  /** What comes of it for those who use the server. */
  readonly harm: string;
  /** Below packages/core/src. */
  readonly file: string;
  /** The exact text that stands there once, and what takes its place. */
  readonly right: string;
  readonly wrong: string;
  /** In worlds of which kind it is looked for; default: in the usual ones. */
  readonly kind?: WorldKind;
}

/** The engine's sources. */
export const CORE = fileURLToPath(new URL('../../../packages/core/src/', import.meta.url));

/** The source of the fault's file with the fault in it. Throws where the text that it replaces does not stand there once. */
export function plant({ name, file, right, wrong }: Fault): string {
  const source = readFileSync(CORE + file, 'utf8');
  const parts = source.split(right);
  if (parts.length === 2) return parts.join(wrong);
  throw new Error(
    `The fault "${name}" cannot be planted: packages/core/src/${file} has the text that it replaces ${parts.length - 1} times, not once. Say in tests/simulation/mutations what the code is now, then run: pnpm simulate:mutations --record`,
  );
}
