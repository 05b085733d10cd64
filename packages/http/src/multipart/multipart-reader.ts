import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** What {@link readMultipart} comes upon, in order: each part is its headers, its bytes in pieces, and its end. */
export type MultipartEvent =
  /** `offset`: where in the body the part's bytes begin. */
  | { type: 'part'; headers: Map<string, string>; offset: number }
  | { type: 'bytes'; bytes: Uint8Array }
  | { type: 'part-end' };

/**
 * Takes a multipart body apart as it arrives, holding no more of it than one piece.
 *
 * Strict, because what follows a mistake cannot be told from a file's bytes: ends only after the closing boundary, and
 * throws where the body breaks off before it.
 *
 * @throws {VerdantError} InvalidRequest (4000).
 */
export async function* readMultipart(
  body: ReadableStream<Uint8Array>,
  boundary: string,
): AsyncGenerator<MultipartEvent, void, undefined> {
  const source = new ByteSource(body);
  const delimiter = latin1(`\r\n--${boundary}`);
  // The first boundary need not follow a line break; with this one it looks like the others.
  source.prepend(latin1('\r\n'));
  try {
    for await (const { length } of source.until(delimiter)) source.countIdle(length);
    while (await entersPart(source)) {
      const headers = await readHeaders(source);
      yield { type: 'part', headers, offset: source.offset };
      for await (const bytes of source.until(delimiter)) yield { type: 'bytes', bytes };
      yield { type: 'part-end' };
    }
    for (let rest = await source.take(); rest; rest = await source.take()) source.countIdle(rest.length);
  } finally {
    await source.close();
  }
}

/** Longest header of a part. Names of files are long in some languages, but not that long. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Bytes before the first boundary and after the last, which mean nothing. */
const MAX_IDLE_BYTES = 64 * 1024;

/** After a boundary: `--` is the end of the form, a line break begins a part. */
const entersPart = async (source: ByteSource): Promise<boolean> => {
  if (await source.startsWith(CLOSING)) return false;
  if ((await source.line(64)).trim() !== '') throw malformed('a boundary is followed by something else');
  return true;
};

const readHeaders = async (source: ByteSource): Promise<Map<string, string>> => {
  const headers = new Map<string, string>();
  let left = MAX_HEADER_BYTES;
  for (;;) {
    const line = await source.line(left);
    if (line === '') return headers;
    left -= line.length;
    const [, name, value = ''] = line.match(/^([\w!#$%&'*+.^`|~-]+):(.*)$/s) ?? [];
    if (name === undefined) throw malformed('a header line has no name');
    headers.set(name.toLowerCase(), value.trim());
  }
};

/** The bytes of a stream, to be taken up to something that is looked for. */
class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer = new Uint8Array(0);
  #ended = false;
  #idle = 0;
  #received = 0;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** How many bytes of the stream were taken. */
  get offset(): number {
    return this.#received - this.#buffer.length;
  }

  prepend(bytes: Uint8Array): void {
    this.#buffer = concat(bytes, this.#buffer);
  }

  countIdle(bytes: number): void {
    this.#idle += bytes;
    if (this.#idle > MAX_IDLE_BYTES) throw malformed('there is too much around its parts');
  }

  /** All bytes before `delimiter`, which is taken too. Throws where it does not come. */
  async *until(delimiter: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const at = indexOf(this.#buffer, delimiter);
      if (at >= 0) {
        if (at > 0) yield this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + delimiter.length);
        return;
      }
      // The end of what is there may be the beginning of the delimiter.
      const sure = this.#buffer.length - delimiter.length + 1;
      if (sure > 0) {
        yield this.#buffer.subarray(0, sure);
        this.#buffer = this.#buffer.subarray(sure);
      }
      await this.#more();
    }
  }

  /** Whether these bytes come next; they stay. */
  async startsWith(wanted: Uint8Array): Promise<boolean> {
    while (this.#buffer.length < wanted.length) await this.#more();
    return wanted.every((byte, at) => this.#buffer[at] === byte);
  }

  /** A line without its break, of at most `maxBytes`. */
  async line(maxBytes: number): Promise<string> {
    for (;;) {
      const at = indexOf(this.#buffer, LINE_BREAK);
      if (at > maxBytes || (at < 0 && this.#buffer.length > maxBytes))
        throw malformed('a line of it is too long');
      if (at >= 0) {
        const line = new TextDecoder().decode(this.#buffer.subarray(0, at));
        this.#buffer = this.#buffer.subarray(at + LINE_BREAK.length);
        return line;
      }
      await this.#more();
    }
  }

  /** Whatever there is next; undefined at the end. */
  async take(): Promise<Uint8Array | undefined> {
    if (this.#buffer.length === 0 && !(await this.#mayGrow())) return undefined;
    const taken = this.#buffer;
    this.#buffer = new Uint8Array(0);
    return taken;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  async #more(): Promise<void> {
    if (!(await this.#mayGrow())) throw malformed('it breaks off');
  }

  /** Whether another piece came. */
  async #mayGrow(): Promise<boolean> {
    if (this.#ended) return false;
    const { done, value } = await this.#reader.read().catch((cause: unknown) => {
      this.#ended = true;
      throw malformed('it breaks off', cause);
    });
    if (done) this.#ended = true;
    else {
      this.#received += value.length;
      this.#buffer = concat(this.#buffer, value);
    }
    return !done;
  }
}

const CARRIAGE_RETURN = 0x0d;

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const LINE_BREAK = latin1('\r\n');
const CLOSING = latin1('--');

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

/** Where `wanted`, which begins with a carriage return, is in `bytes`; -1: nowhere. */
const indexOf = (bytes: Uint8Array, wanted: Uint8Array): number => {
  const last = bytes.length - wanted.length;
  let at = bytes.indexOf(CARRIAGE_RETURN);
  while (at >= 0 && at <= last) {
    let length = 1;
    while (length < wanted.length && bytes[at + length] === wanted[length]) length++;
    if (length === wanted.length) return at;
    at = bytes.indexOf(CARRIAGE_RETURN, at + 1);
  }
  return -1;
};

const malformed = (what: string, cause?: unknown) =>
  new VerdantError(VerdantErrorCode.InvalidRequest, `The form is malformed: ${what}.`, { cause });
