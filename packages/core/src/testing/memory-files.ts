import type {
  FileInventory,
  FileStorage,
  FoundBytes,
  IncomingFile,
  OpenedBytes,
  StoredFile,
} from '../files/file-storage.js';

/** Files in memory. */
export class MemoryFiles implements FileStorage {
  readonly bytes = new Map<string, { content: Uint8Array<ArrayBuffer>; modifiedAt: number }>();
  /** The next call of this method fails. */
  fail: 'put' | 'delete' | null = null;
  /** Calls of `delete` wait for it, when set. */
  gate: Promise<void> | null = null;
  /** How many opened files were let go of unread. */
  closed = 0;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void> {
    const content = new Uint8Array(await new Response(body).arrayBuffer());
    this.#check('put');
    this.bytes.set(keyOf(file), { content, modifiedAt: this.#now() });
  }

  getUrl(file: StoredFile): string {
    return `http://files/${keyOf(file)}/${file.name}`;
  }

  async delete(file: StoredFile): Promise<void> {
    if (this.gate) await this.gate;
    this.#check('delete');
    this.bytes.delete(keyOf(file));
  }

  async open(file: StoredFile): Promise<OpenedBytes | null> {
    const found = this.bytes.get(keyOf(file));
    if (!found) return null;
    const { content, modifiedAt } = found;
    return {
      size: content.byteLength,
      modifiedAt,
      version: String(modifiedAt),
      read: ({ from, to } = { from: 0, to: content.byteLength - 1 }) =>
        new Response(content.slice(from, to + 1)).body!,
      close: async () => void this.closed++,
    };
  }

  readonly inventory: FileInventory = {
    keyOf,
    list: () => this.#list(),
    remove: async ({ key, modifiedAt }) => {
      if (this.bytes.get(key)?.modifiedAt === modifiedAt) this.bytes.delete(key);
    },
  };

  async *#list(): AsyncIterable<FoundBytes> {
    for (const [key, { content, modifiedAt }] of this.bytes)
      yield { key, size: content.byteLength, modifiedAt };
  }

  #check(method: 'put' | 'delete'): void {
    if (this.fail !== method) return;
    this.fail = null;
    throw new Error(`${method} failed`);
  }
}

const keyOf = ({ libraryId, id }: StoredFile): string => `${libraryId}/${id}`;
