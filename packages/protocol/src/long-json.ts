import { VerdantError, VerdantErrorCode } from './errors.js';
import { parseJson } from './parse-json.js';

/** A list that was left in its text, so that its items can be read one at a time. */
export class ListInText {
  readonly #text: string;
  /** Where each item begins, and after the last one where the list ends, one further. */
  readonly #starts: readonly number[];

  constructor(text: string, starts: readonly number[]) {
    this.#text = text;
    this.#starts = starts;
  }

  get length(): number {
    return Math.max(0, this.#starts.length - 1);
  }

  /**
   * The item at this place.
   *
   * @param maxDepth how deep it may be nested
   * @throws VerdantError `InvalidRequest` where it is no JSON or nested too deep
   */
  item(index: number, maxDepth: number): unknown {
    return parseJson(this.#text.slice(this.#starts[index], this.#starts[index + 1]! - 1), maxDepth);
  }
}

/** The long lists of one message. */
export interface ContentInText {
  operations?: ListInText;
  baselines?: ListInText;
}

/** JSON of which the long lists are empty, and these lists. */
export interface CutJson {
  /** The parsed value, with an empty list in place of each that was left in the text. */
  value: unknown;
  /** By the message's place; the one message of a socket's frame is at 0. */
  content: ReadonlyMap<number, ContentInText>;
}

/** Where messages are in the text: it is one (`message`), or an object with a list `messages` of them. */
export type MessagePlace = 'message' | 'messages';

/**
 * Reads JSON in which `operations` and `baselines` may be tens of megabytes without making values of those: parsed,
 * they take many times the memory of their text, and block the event loop for as long as that takes.
 *
 * Yields now and then, so that its caller can let others have a turn.
 *
 * @param maxDepth how deep everything besides the lists may be nested
 * @throws VerdantError `InvalidRequest` where the text is no JSON or nested too deep. What is wrong within the lists shows
 *   when their items are read.
 */
export function* cutJson(text: string, place: MessagePlace, maxDepth: number): Generator<undefined, CutJson> {
  const cutter = new Cutter(text, place);
  yield* cutter.run();
  return { value: parseJson(cutter.rest, maxDepth), content: cutter.content };
}

/** Characters that are looked at in one go: some milliseconds. */
const SLICE_LENGTH = 1024 * 1024;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

class Cutter {
  readonly content = new Map<number, ContentInText>();
  readonly #text: string;
  readonly #place: MessagePlace;
  /** How many brackets are open around a message's fields. */
  readonly #fieldDepth: number;
  #at = 0;
  #depth = 0;
  /** The key at the top whose value is being read. */
  #topKey = '';
  #message = 0;
  /** The text between what was cut out. */
  #kept: string[] = [];
  #keptFrom = 0;

  constructor(text: string, place: MessagePlace) {
    this.#text = text;
    this.#place = place;
    this.#fieldDepth = place === 'message' ? 1 : 3;
  }

  get rest(): string {
    return this.#kept.join('');
  }

  *run(): Generator<undefined, void> {
    const text = this.#text;
    let pauseAt = SLICE_LENGTH;
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) yield* this.#string();
      else if (code === OPEN_LIST || code === OPEN_OBJECT) this.#open(code);
      else if (code === CLOSE_LIST || code === CLOSE_OBJECT) this.#depth--;
      else if (code === COMMA && this.#depth === 2) this.#message++;
      if (this.#at >= pauseAt) {
        yield;
        pauseAt = this.#at + SLICE_LENGTH;
      }
    }
    this.#kept.push(text.slice(this.#keptFrom));
  }

  #open(code: number): void {
    this.#depth++;
    if (this.#depth !== 2) return;
    this.#message = 0;
    // Of two lists of the same name, JSON takes the later one.
    if (this.#isMessageList && code === OPEN_LIST) this.content.clear();
  }

  get #isMessageList(): boolean {
    return this.#place === 'messages' && this.#topKey === 'messages';
  }

  /** A string begins here: a key after which a list is cut out, or any other. */
  *#string(): Generator<undefined, void> {
    const start = this.#at;
    const end = endOfString(this.#text, start);
    this.#at = end;
    const isField = this.#depth === this.#fieldDepth && (this.#place === 'message' || this.#isMessageList);
    if (!isField && this.#depth !== 1) return;
    const colon = skipSpace(this.#text, end + 1);
    if (this.#text.charCodeAt(colon) !== COLON) return;
    const key = this.#text.slice(start + 1, end);
    if (this.#depth === 1) this.#topKey = key;
    if (!isField || (key !== 'operations' && key !== 'baselines')) return;
    const open = skipSpace(this.#text, colon + 1);
    if (this.#text.charCodeAt(open) !== OPEN_LIST) return;
    this.#at = open + 1;
    const list = yield* this.#list();
    const index = this.#place === 'message' ? 0 : this.#message;
    this.content.set(index, { ...this.content.get(index), [key]: list });
    this.#kept.push(this.#text.slice(this.#keptFrom, open), '[]');
    this.#keptFrom = this.#at + 1;
  }

  /** From behind a list's bracket up to the one that closes it. */
  *#list(): Generator<undefined, ListInText> {
    const text = this.#text;
    const starts = [this.#at];
    let depth = 1;
    let pauseAt = this.#at + SLICE_LENGTH;
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) this.#at = endOfString(text, this.#at);
      else if (code === COMMA && depth === 1) starts.push(this.#at + 1);
      else if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
      else if ((code === CLOSE_LIST || code === CLOSE_OBJECT) && --depth === 0) {
        if (code !== CLOSE_LIST) throw notJson();
        const isEmpty = starts.length === 1 && skipSpace(text, starts[0]!) === this.#at;
        return new ListInText(text, isEmpty ? [] : [...starts, this.#at + 1]);
      }
      if (this.#at >= pauseAt) {
        yield;
        pauseAt = this.#at + SLICE_LENGTH;
      }
    }
    throw notJson();
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** Position of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
  throw notJson();
}

const notJson = (): VerdantError => new VerdantError(VerdantErrorCode.InvalidRequest, 'not valid JSON');
