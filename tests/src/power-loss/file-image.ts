/** A change of a file's content. */
export type Change = { kind: 'write'; at: number; bytes: Buffer } | { kind: 'truncate'; size: number };

/** The content of a file, as changes make it. */
export class FileImage {
  #bytes: Buffer;
  #size: number;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  /** Good until the next change. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  copy(): FileImage {
    return new FileImage(Buffer.from(this.content));
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') this.#resize(change.size);
    else this.write(change.at, change.bytes);
  }

  write(at: number, bytes: Buffer): void {
    if (at + bytes.length > this.#size) this.#resize(at + bytes.length);
    bytes.copy(this.#bytes, at);
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2));
      this.content.copy(larger);
      this.#bytes = larger;
    }
    // What is beyond the end reads as zeros when the file grows again.
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }
}
