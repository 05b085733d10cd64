import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { fileNameOf, parseHeaderValue } from './header-value.js';
import { type MultipartEvent, readMultipart } from './multipart-reader.js';

/** What {@link openFileForm} is to expect. */
export interface FileFormOptions {
  boundary: string;
  /** Larger files are given up while they are read. */
  maxFileBytes: number;
}

/** A form that was read up to the first byte of its file. */
export interface FileForm {
  /** The file's name on the user's device. Client input: never a path. */
  readonly name: string;
  /** Its media type as the client gave it. */
  readonly type: string;
  /** Its bytes. Errors, rather than ends, unless the whole form turns out to be in order. */
  readonly bytes: ReadableStream<Uint8Array>;
  /** Why `bytes` ended in an error. */
  readonly failure: VerdantError | undefined;
  /** Reads no further. */
  close(): Promise<void>;
}

/**
 * Reads a form up to its field `file`.
 *
 * @throws {VerdantError} InvalidRequest (4000) where the form has no such file or is malformed.
 */
export const openFileForm = async (
  body: ReadableStream<Uint8Array>,
  { boundary, maxFileBytes }: FileFormOptions,
): Promise<FileForm> => {
  const events = readMultipart(body, boundary);
  const otherBytes = new Allowance(MAX_OTHER_BYTES, 'Its other fields are too large');
  const headers = await findFile(events, otherBytes).catch(async (error: unknown) => {
    await events.return();
    throw error;
  });
  const fileBytes = new Allowance(maxFileBytes, `The file is larger than ${maxFileBytes} bytes`);
  let failure: VerdantError | undefined;

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      const event = await nextOf(events);
      if (event?.type === 'bytes') {
        fileBytes.use(event.bytes.length);
        controller.enqueue(event.bytes);
        return;
      }
      // The file is whole, but the form may yet break off, or hold a second one: then nothing is to be stored.
      if (await findFile(events, otherBytes, { optional: true })) throw secondFile();
      controller.close();
    } catch (error) {
      if (error instanceof VerdantError) failure = error;
      controller.error(error);
    }
  };

  return {
    name: fileNameOf(dispositionOf(headers)) ?? '',
    type: mediaTypeOf(headers),
    bytes: new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 }),
    get failure() {
      return failure;
    },
    close: async () => {
      await events.return();
    },
  };
};

const MAX_OTHER_BYTES = 1024 * 1024;
const MAX_OTHER_PARTS = 100;

type Events = AsyncGenerator<MultipartEvent, void, undefined>;
type Headers = Map<string, string>;

/** Passes over other fields; the headers of the file. */
async function findFile(events: Events, skipped: Allowance): Promise<Headers>;
async function findFile(
  events: Events,
  skipped: Allowance,
  options: { optional: true },
): Promise<Headers | undefined>;
async function findFile(
  events: Events,
  skipped: Allowance,
  { optional = false } = {},
): Promise<Headers | undefined> {
  let parts = 0;
  for (let event = await nextOf(events); event; event = await nextOf(events)) {
    if (event.type === 'part' && isFile(event.headers)) return event.headers;
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
const secondFile = () => invalid('The form has more than one file.');
