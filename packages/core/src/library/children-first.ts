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
      while (begun.length > 0 && !root.startsWith(begun.at(-1)!.root)) out.push(...begun.pop()!.end());
      if (begun.at(-1)?.root !== root) {
        // Of documents that are only begun the roots alone are held: any number of them may lie within each other.
        out.push(...(begun.at(-1)?.takeNested() ?? []));
        begun.push(new Document(root));
      }
      out.push(...begun.at(-1)!.add(row));
    }
    if (out.length > 0) yield out;
  }
  const rest = begun.reverse().flatMap((document) => document.end());
  if (rest.length > 0) yield rest;
}

class Document {
  #root: BaselineText | null = null;
  readonly #nested = new Map<Oid, BaselineText>();
  #size = 0;

  constructor(readonly root: Oid) {}

  /** Takes a row; returns those that need not wait any longer. */
  add(row: BaselineText): BaselineText[] {
    if (row.oid === this.root) {
      this.#root = row;
      return [];
    }
    this.#nested.set(row.oid, row);
    this.#size += row.text.length;
    return this.#size > HELD ? this.takeNested() : [];
  }

  end(): BaselineText[] {
    const nested = this.takeNested();
    return this.#root === null ? nested : [...nested, this.#root];
  }

  /** The nested objects so far, in order. */
  takeNested(): BaselineText[] {
    const rows = this.#nested.size < 2 ? [...this.#nested.values()] : referredFirst(this.#nested);
    this.#nested.clear();
    this.#size = 0;
    return rows;
  }
}

/** Each row after those that it refers to. Without recursion: how deep that goes is up to who wrote them. */
function referredFirst(rows: ReadonlyMap<Oid, BaselineText>): BaselineText[] {
  const ordered: BaselineText[] = [];
  const seen = new Set<Oid>();
  const path: { row: BaselineText; refs: Oid[] }[] = [];
  const enter = (oid: Oid) => {
    const row = rows.get(oid);
    if (!row || seen.has(oid)) return;
    seen.add(oid);
    path.push({ row, refs: refsIn(row.text) });
  };
  for (const oid of rows.keys()) {
    enter(oid);
    while (path.length > 0) {
      const next = path.at(-1)!.refs.pop();
      if (next !== undefined) enter(next);
      else ordered.push(path.pop()!.row);
    }
  }
  return ordered;
}

const REF = /"id":("(?:[^"\\]|\\.)*")/g;

/** What may be refs in the text of a baseline. One too many does no harm. */
const refsIn = (text: string): Oid[] => Array.from(text.matchAll(REF), ([, id]) => JSON.parse(id!) as Oid);
