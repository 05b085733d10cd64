import type { OpenedBytes } from '@verdant-web/core';
import type { Bucket, BucketObject, BucketObjectBody } from './r2-platform.js';

/** The bytes of an object as it was when it was looked up: where it has been replaced since, reading fails. */
export const readObject = (bucket: Bucket, head: BucketObject): OpenedBytes => ({
  size: head.size,
  modifiedAt: head.uploaded.getTime(),
  version: head.version.replace(/[^\x21\x23-\x7e]/g, '_'),
  read: (range) => lazily(() => bodyOf(bucket, head, range)),
  close: async () => {},
});

async function bodyOf(
  bucket: Bucket,
  { key, etag, size }: BucketObject,
  { from, to } = { from: 0, to: size - 1 },
): Promise<ReadableStream<Uint8Array>> {
  const range = from > 0 || to < size - 1 ? { range: { offset: from, length: to + 1 - from } } : {};
  const object = await bucket.get(key, { ...range, onlyIf: { etagMatches: etag } });
  if (object && 'body' in object && (object as BucketObjectBody).body)
    return (object as BucketObjectBody).body;
  throw new Error('The file was replaced or deleted while it was about to be read.');
}

/** The stream that `open` resolves to, asked for when the first of it is wanted. */
function lazily(open: () => Promise<ReadableStream<Uint8Array>>): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= (await open()).getReader();
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
