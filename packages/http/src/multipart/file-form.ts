import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { fileNameOf, parseHeaderValue } from './header-value.js';
import { type MultipartEvent, readMultipart } from './multipart-reader.js';

/** What {@link openFileForm} is to expect. */
export interface FileFormOptions {
  boundary: string;
  /** Larger files are given up while they are read. */
  maxFileBytes: number;
  /** Of the whole form, in bytes; undefined where the request does not say. */
  contentLength: number | undefined;
}

/** A form that was read up to the first byte of its file. */
export interface FileForm {
  /** The file's name on the user's device. Client input: never a path. */
  readonly name: string;
  /** Its media type as the client gave it. */
  readonly type: string;
  /** How many bytes it has. */
  readonly size: number;
  /** Its bytes, as many. Errors, rather than ends, unless the whole form turns out to be in order. */
  readonly bytes: ReadableStream<Uint8Array>;
  /** Why `bytes` ended in an error. */
  readonly failure: VerdantError | undefined;
  /** Reads no further. */
  close(): Promise<void>;
}

/**
 * Reads a form up to its field `file`, and as far into it as it takes to know how long it is: a small one to its end.
 * Of a large one the length follows from that of the form, of which it has to be the last field.
 *
 * @throws {VerdantError} InvalidRequest (4000) where the form has no such file or is malformed, TooLarge (4130),
 *   LengthRequired (4110) where the file is large and the request does not say how long it is.
 */
export const openFileForm = async (
  body: ReadableStream<Uint8Array>,
  { boundary, maxFileBytes, contentLength }: FileFormOptions,
): Promise<FileForm> => {
  const events = readMultipart(body, boundary);
  const otherBytes = new Allowance(MAX_OTHER_BYTES, 'Its other fields are too large');
  const fileBytes = new Allowance(maxFileBytes, `The file is larger than ${maxFileBytes} bytes`);

  /** The next piece of the file; undefined at its end, where the rest of the form is in order too. */
  const nextPiece = async (): Promise<Uint8Array | undefined> => {
    const event = await nextOf(events);
    if (event?.type === 'bytes') {
      fileBytes.use(event.bytes.length);
      return event.bytes;
    }
    // The file is whole, but the form may yet break off, or hold a second one: then nothing is to be stored.
    if (await findFile(events, otherBytes, { optional: true })) throw secondFile();
    return undefined;
  };

  try {
    const { headers, offset } = await findFile(events, otherBytes);
    const ahead = await readAhead(nextPiece);
    const size = ahead.whole ? ahead.bytes : sizeWithin(contentLength, offset, boundary);
    const content = new Content(ahead.pieces, ahead.whole ? undefined : nextPiece, size);
    return {
      name: fileNameOf(dispositionOf(headers)) ?? '',
      type: mediaTypeOf(headers),
      size,
      bytes: content.stream,
      get failure() {
        return content.failure;
      },
      close: async () => {
        await events.return();
      },
    };
  } catch (error) {
    await events.return();
    throw error;
  }
};

/** A file that ends within so many bytes needs no other sign of its length. No more than that of a form is in memory. */
export const READ_AHEAD_BYTES = 1024 * 1024;

const readAhead = async (nextPiece: () => Promise<Uint8Array | undefined>) => {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= READ_AHEAD_BYTES) {
    const piece = await nextPiece();
    if (!piece) return { pieces, bytes, whole: true };
    pieces.push(piece);
    bytes += piece.length;
  }
  return { pieces, bytes, whole: false };
};

/** The size of a file that is the last field of its form, as browsers send it: behind it is the closing boundary alone. */
const sizeWithin = (contentLength: number | undefined, offset: number, boundary: string): number => {
  if (contentLength === undefined) {
    throw new VerdantError(
      VerdantErrorCode.LengthRequired,
      'An upload of over 1 MiB needs a Content-Length. What stands before the server must not take it away.',
    );
  }
  const size = contentLength - offset - `\r\n--${boundary}--\r\n`.length;
  if (size < 0) throw misplaced();
  return size;
};

/** The file's bytes as a stream: those that were read ahead, and those that are to come. */
class Content {
  failure: VerdantError | undefined;
  readonly stream: ReadableStream<Uint8Array>;

  constructor(ahead: Uint8Array[], next: (() => Promise<Uint8Array | undefined>) | undefined, size: number) {
    let left = size;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      try {
        const piece = ahead.shift() ?? (await next?.());
        left -= piece?.length ?? 0;
        if (left < 0 || (!piece && left > 0)) throw misplaced();
        if (piece) controller.enqueue(piece);
        else controller.close();
      } catch (error) {
        if (error instanceof VerdantError) this.failure = error;
        controller.error(error);
      }
    };
    this.stream = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
  }
}

const MAX_OTHER_BYTES = 1024 * 1024;
const MAX_OTHER_PARTS = 100;

type Events = AsyncGenerator<MultipartEvent, void, undefined>;
type Headers = Map<string, string>;
type FilePart = Extract<MultipartEvent, { type: 'part' }>;

/** Passes over other fields, to the file. */
async function findFile(events: Events, skipped: Allowance): Promise<FilePart>;
async function findFile(
  events: Events,
  skipped: Allowance,
  options: { optional: true },
): Promise<FilePart | undefined>;
async function findFile(
  events: Events,
  skipped: Allowance,
  { optional = false } = {},
): Promise<FilePart | undefined> {
  let parts = 0;
  for (let event = await nextOf(events); event; event = await nextOf(events)) {
    if (event.type === 'part' && isFile(event.headers)) return event;
    if (event.type === 'part' && ++parts > MAX_OTHER_PARTS) throw invalid('The form has too many fields.');
    if (event.type === 'bytes') skipped.use(event.bytes.length);
  }
  if (optional) return undefined;
  throw invalid('The form has no file in a field "file".');
}

const nextOf = async (events: Events): Promise<MultipartEvent | undefined> => {
  const { done, value } = await events.next();
  return done ? undefined : value;
};

const isFile = (headers: Headers): boolean => {
  const disposition = dispositionOf(headers);
  const isIt =
    disposition.value === 'form-data' &&
    disposition.parameters.get('name') === 'file' &&
    fileNameOf(disposition) !== undefined;
  // Long deprecated, and stored undecoded it would be another file.
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (isIt && !['binary', '8bit', '7bit'].includes(encoding))
    throw invalid('The file is sent in an encoding.');
  return isIt;
};

const dispositionOf = (headers: Headers) => parseHeaderValue(headers.get('content-disposition') ?? '');

const mediaTypeOf = (headers: Headers): string => {
  const type = headers.get('content-type') ?? '';
  return type.length <= 255 && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\t\x20-\x7e]*)?$/.test(type)
    ? type
    : 'application/octet-stream';
};

/** So many bytes, and no more. */
class Allowance {
  #left: number;

  constructor(
    bytes: number,
    readonly excess: string,
  ) {
    this.#left = bytes;
  }

  use(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new VerdantError(VerdantErrorCode.TooLarge, `${this.excess}.`);
  }
}

const invalid = (message: string) => new VerdantError(VerdantErrorCode.InvalidRequest, message);
const misplaced = () =>
  invalid('A file of over 1 MiB has to be the last field of its form, and a line break has to end the form.');
const secondFile = () => invalid('The form has more than one file.');
