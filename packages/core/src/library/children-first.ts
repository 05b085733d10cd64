import { type Oid, rootOf } from '@verdant-web/protocol';
import type { BaselineText } from '../storage/storage.js';

/** Up to how many characters of a document are held to be put in order: a larger one goes out as it is stored, its root last. */
const HELD = 4 * 1024 * 1024;

/**
 * Baselines, of each document what is nested before what it is nested in: the order in which a client writes a new one.
 *
 * When a reset comes, 5.5.0 looks anew at the objects of a document on the screen in the order in which it came to know
 * them. Where that was the root first, it still takes the nested ones for deleted when it looks at the root, so it takes
 * the whole document for deleted, and hides it until its root changes.
 */
export async function* childrenFirst(pages: AsyncIterable<BaselineText[]>): AsyncGenerator<BaselineText[]> {
  // In oid order a root comes before its nested objects, and between them only documents whose ids begin with its own:
  // `items/1`, `items/10`, `items/1:nested`. So what is begun nests.
  const begun: Document[] = [];
  for await (const page of pages) {
    const out: BaselineText[] = [];
    for (const row of page) {
      const root = rootOf(row.oid);
      let last = begun.at(-1);
      while (last && !root.startsWith(last.root)) {
        last.end(out);
        begun.pop();
        last = begun.at(-1);
      }
      if (last?.root !== root) {
        // Of documents that are only begun the roots alone are held: any number of them may lie within each other.
        last?.tellNested(out);
        last = new Document(root);
        begun.push(last);
      }
      last.add(row, out);
    }
    if (out.length > 0) yield out;
  }
  const rest: BaselineText[] = [];
  for (const document of begun.reverse()) document.end(rest);
  if (rest.length > 0) yield rest;
}

class Document {
  #row: BaselineText | null = null;
  #nested: BaselineText[] = [];
  #size = 0;

  constructor(readonly root: Oid) {}

  /** Takes a row; adds to `out` those that need not wait any longer. */
  add(row: BaselineText, out: BaselineText[]): void {
    if (row.oid === this.root) {
      this.#row = row;
      return;
    }
    this.#nested.push(row);
    this.#size += row.text.length;
    if (this.#size > HELD) this.tellNested(out);
  }

  end(out: BaselineText[]): void {
    this.tellNested(out);
    if (this.#row !== null) out.push(this.#row);
  }

  /** Adds the nested objects so far to `out`, in order. */
  tellNested(out: BaselineText[]): void {
    if (this.#nested.length === 0) return;
    if (this.#nested.length === 1) out.push(this.#nested[0]!);
    else referredFirst(this.#nested, out);
    this.#nested = [];
    this.#size = 0;
  }
}

/** Adds the rows to `out`, each after those that it refers to. Without recursion: how deep that goes is up to who wrote them. */
function referredFirst(rows: readonly BaselineText[], out: BaselineText[]): void {
  const waiting = new Map(rows.map((row) => [row.oid, row]));
  const path: { row: BaselineText; refs: Oid[] }[] = [];
  const enter = (oid: Oid) => {
    const row = waiting.get(oid);
    if (!row) return;
    waiting.delete(oid);
    path.push({ row, refs: refsIn(row.text) });
  };
  for (const { oid } of rows) {
    enter(oid);
    while (path.length > 0) {
      const next = path.at(-1)!.refs.pop();
      if (next !== undefined) enter(next);
      else out.push(path.pop()!.row);
    }
  }
}

const REF = /"id":("(?:[^"\\]|\\.)*")/g;

/** What may be refs in the text of a baseline. One too many does no harm. */
const refsIn = (text: string): Oid[] => Array.from(text.matchAll(REF), ([, id]) => JSON.parse(id!) as Oid);
