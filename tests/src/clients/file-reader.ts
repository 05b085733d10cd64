/** The one method of a browser's `FileReader` that the clients call, to put a file's bytes into IndexedDB. */
export class FileReaderShim {
  result: ArrayBuffer | null = null;
  onload: (() => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;

  readAsArrayBuffer(blob: Blob): void {
    blob.arrayBuffer().then(
      (bytes) => {
        this.result = bytes;
        this.onload?.();
      },
      (error) => this.onerror?.(error),
    );
  }
}
