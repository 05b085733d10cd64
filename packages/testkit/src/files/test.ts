import type { FileStorage, StoredFile } from '@verdant-web/core';

/** What the parts of the file storage suite work with. */
export interface FileTest {
  /** The present test's own. */
  storage(): FileStorage;
  put(file: StoredFile, content: string | Uint8Array): Promise<void>;
  file(changes?: Partial<StoredFile>): StoredFile;
}
