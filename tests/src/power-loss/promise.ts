import type { Told } from './told.js';

/** An operation that a device handed to the server. */
export interface Written {
  timestamp: string;
  oid: string;
  writer: string;
  message: number;
  /** Somebody was told that it is stored: its writer, or a device that it was shown to. */
  promised: boolean;
}

/** What a library has to hold. */
export interface LibraryPromise {
  /** What was written since the last eviction that was confirmed, by timestamp. */
  written: Map<string, Written>;
  /** What was evicted, and may not come back. */
  gone: Set<string>;
  /** An eviction was begun: until it is confirmed, everything may be there or nothing. */
  evicting: boolean;
  /** What was written when that was begun. */
  before: Set<string>;
  /** Up to when each device was told that its operations are stored. */
  since: Map<string, string>;
  /** Files by whether they were confirmed. */
  files: Map<string, boolean>;
}

/** What the world outside was promised, up to a point. */
export class PromiseBook {
  readonly libraries = new Map<string, LibraryPromise>();
  /** Users by whether their revocation was confirmed. */
  readonly revoked = new Map<string, boolean>();

  take(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.#note(JSON.parse(line) as Told);
  }

  #note(told: Told): void {
    switch (told.did) {
      case 'wrote': {
        const { timestamp, oid, writer, message } = told;
        this.#library(told).written.set(timestamp, { timestamp, oid, writer, message, promised: false });
        return;
      }
      case 'acknowledged': {
        const library = this.#library(told);
        library.since.set(told.writer, told.through);
        for (const operation of library.written.values())
          operation.promised ||= operation.writer === told.writer && operation.timestamp <= told.through;
        return;
      }
      case 'shown': {
        const { written } = this.#library(told);
        for (const timestamp of told.timestamps) {
          const operation = written.get(timestamp);
          if (operation) operation.promised = true;
        }
        return;
      }
      case 'evicting': {
        const library = this.#library(told);
        library.evicting = true;
        library.before = new Set(library.written.keys());
        return;
      }
      case 'evicted': {
        const library = this.#library(told);
        for (const timestamp of library.before) {
          library.gone.add(library.written.get(timestamp)!.oid);
          library.written.delete(timestamp);
        }
        library.files.clear();
        library.evicting = false;
        return;
      }
      case 'uploading':
      case 'uploaded':
        this.#library(told).files.set(told.id, told.did === 'uploaded');
        return;
      case 'revoking':
      case 'revoked':
        this.revoked.set(told.user, told.did === 'revoked');
    }
  }

  #library({ library: id }: { library: string }): LibraryPromise {
    let library = this.libraries.get(id);
    if (!library) {
      const nothing = { written: new Map(), gone: new Set<string>(), since: new Map(), files: new Map() };
      library = { ...nothing, evicting: false, before: new Set() };
      this.libraries.set(id, library);
    }
    return library;
  }
}
