import { describe, expect, test } from 'vitest';
import { readMultipart } from './multipart-reader.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A body that arrives in pieces of the given lengths, over and over. */
const arriving = (body: Uint8Array, lengths: number[]) => {
  let at = 0;
  let turn = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= body.length) return controller.close();
      const length = lengths[turn++ % lengths.length]!;
      controller.enqueue(body.slice(at, at + length));
      at += length;
    },
  });
};

const readAll = async (body: ReadableStream<Uint8Array>, boundary = 'b') => {
  const parts: { headers: Record<string, string>; body: string; ended: boolean }[] = [];
  for await (const event of readMultipart(body, boundary)) {
    const last = parts.at(-1);
    if (event.type === 'part')
      parts.push({ headers: Object.fromEntries(event.headers), body: '', ended: false });
    else if (event.type === 'bytes') last!.body += Buffer.from(event.bytes).toString('latin1');
    else last!.ended = true;
  }
  return parts;
};
const read = (text: string, lengths = [text.length || 1]) => readAll(arriving(bytes(text), lengths));
const failure = (text: string) => read(text).catch((error) => error);

const form =
  '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n' +
  '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: image/png\r\n\r\n' +
  '\r\n\r\n--\r\n-\r\n--\r\n--a\r\r\n--b' + // what looks like a boundary, and then is one
  '\r\n\r\nnested\r\n--b--\r\n';
const expected = [
  { headers: { 'content-disposition': 'form-data; name="a"' }, body: 'one', ended: true },
  {
    headers: { 'content-disposition': 'form-data; name="file"; filename="x"', 'content-type': 'image/png' },
    body: '\r\n\r\n--\r\n-\r\n--\r\n--a\r',
    ended: true,
  },
  { headers: {}, body: 'nested', ended: true },
];

describe('a form', () => {
  test('is read whole', async () => {
    expect(await read(form)).toEqual(expected);
  });

  test('is read the same wherever it is cut in two', async () => {
    for (let at = 1; at < form.length; at++) {
      expect(await read(form, [at, form.length]), `cut at ${at}`).toEqual(expected);
    }
  });

  test('is read the same in small pieces', async () => {
    for (const lengths of [[1], [2], [3], [1, 7, 2], [13, 1], [64, 1, 1]]) {
      expect(await read(form, lengths), `in pieces of ${lengths}`).toEqual(expected);
    }
  });

  test('breaking off anywhere before its end is no form', async () => {
    for (let length = 0; length < form.length - 2; length++) {
      const error = await failure(form.slice(0, length));
      expect(error, `cut at ${length}`).toMatchObject({ code: 4000 });
    }
  });

  test('keeps every byte of a file', async () => {
    const file = Buffer.alloc(100_000);
    for (let i = 0; i < file.length; i++) file[i] = (i * 7919 + (i >> 8)) & 0xff;
    const body = Buffer.concat([bytes('--b\r\n\r\n'), file, bytes('\r\n--b--')]);
    const [part] = await readAll(arriving(body, [4_096, 1, 70]));
    expect(part!.body).toBe(file.toString('latin1'));
  });

  test('may have a preamble, an epilogue, and an empty part', async () => {
    const text = 'hello\r\n--b \r\nX: y \r\n\r\n\r\n--b--\r\nbye';
    expect(await read(text)).toEqual([{ headers: { x: 'y' }, body: '', ended: true }]);
  });

  test('holds no more than a piece', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(pulled++ === 0 ? bytes('--b\r\n\r\n') : new Uint8Array(10_000));
        },
      },
      { highWaterMark: 0 },
    );
    const events = readMultipart(body, 'b');
    await events.next();
    await events.next();
    expect(pulled).toBeLessThanOrEqual(2);
    await events.return();
  });
});

describe('refuses', () => {
  test.each([
    ['something after a boundary', '--b x\r\n\r\n\r\n--b--'],
    ['a header without a name', '--b\r\nnonsense\r\n\r\n\r\n--b--'],
    ['a header that has no end', `--b\r\nX: ${'y'.repeat(20_000)}`],
    ['headers that have no end', `--b\r\n${'X: y\r\n'.repeat(5_000)}`],
    ['a long preamble', 'x'.repeat(100_000)],
    ['a long epilogue', `--b\r\n\r\n\r\n--b--${'x'.repeat(100_000)}`],
    ['another boundary', '--c\r\n\r\n\r\n--c--'],
    ['nothing', ''],
  ])('%s', async (_, text) => {
    expect(await failure(text)).toMatchObject({ code: 4000 });
  });
});

test('gives the body back when it is left', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes('--b\r\n\r\nfile')),
    cancel: () => {
      cancelled = true;
    },
  });
  const events = readMultipart(body, 'b');
  await events.next();
  await events.return();
  expect(cancelled).toBe(true);
  expect(body.locked).toBe(false);
});

test('[FILE-4] a header line of spaces is read at once', async () => {
  // A pattern that gives spaces to what follows one by one takes half a second for each part.
  const line = `X-Spaces:${' '.repeat(16_000)}x`;
  const parts = await read(`${`--b\r\n${line}\r\n\r\n\r\n`.repeat(100)}--b--\r\n`);
  expect(parts.map(({ headers }) => headers)).toEqual(Array(100).fill({ 'x-spaces': 'x' }));
});
