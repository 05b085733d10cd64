import type { OpenedBytes } from '@verdant-web/core';
import { fixedLength } from './fixed-length.js';
import type { Bucket, BucketObject, BucketObjectBody } from './r2-platform.js';

/** The bytes of an object as it was when it was looked up: where it has been replaced since, reading fails. */
export const readObject = (bucket: Bucket, head: BucketObject): OpenedBytes => ({
  size: head.size,
  modifiedAt: head.uploaded.getTime(),
  version: head.version.replace(/[^\x21\x23-\x7e]/g, '_'),
  read: ({ from, to } = { from: 0, to: head.size - 1 }) => {
    const length = to + 1 - from;
    const range = length < head.size ? { offset: from, length } : undefined;
    return piped(length, () => bodyOf(bucket, head, range));
  },
  close: async () => {},
});

async function bodyOf(
  bucket: Bucket,
  { key, etag }: BucketObject,
  range?: { offset: number; length: number },
): Promise<ReadableStream<Uint8Array>> {
  const object = await bucket.get(key, { ...(range && { range }), onlyIf: { etagMatches: etag } });
  if (object && 'body' in object && (object as BucketObjectBody).body)
    return (object as BucketObjectBody).body;
  throw new Error('The file was replaced or deleted while it was about to be read.');
}

/**
 * The stream that `open` resolves to, at once. The runtime knows its length: it sends a `Content-Length` for no other; and
 * moves the bytes by itself.
 */
function piped(length: number, open: () => Promise<ReadableStream<Uint8Array>>): ReadableStream<Uint8Array> {
  const { readable, writable } = fixedLength(length);
  const piping = open().then(
    (body) => body.pipeTo(writable),
    (error: unknown) => writable.abort(error),
  );
  // The reader has it from the stream.
  piping.catch(() => {});
  return readable;
}
