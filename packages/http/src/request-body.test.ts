import { expect, test } from 'vitest';
import { readText } from './request-body.js';

/** A request whose body comes in these pieces, without a declared length unless one is given. */
const arriving = (chunks: Uint8Array[], headers: Record<string, string> = {}) => {
  let read = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[read++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
  return { request: new Request('http://x/', init), read: () => read };
};
const bytes = (text: string) => new TextEncoder().encode(text);
const room = { arrived: () => {} };
const code = (error: unknown) => (error as { code: number }).code;

test('reads text that is cut in the middle of a character', async () => {
  const all = bytes('{"é":"☀😀"}');
  const { request } = arriving([...all].map((byte) => Uint8Array.of(byte)));
  expect(await readText(request, 100, room)).toBe('{"é":"☀😀"}');
});

test('reads a body with a length', async () => {
  const request = new Request('http://x/', {
    method: 'POST',
    body: 'abc',
    headers: { 'content-length': '3' },
  });
  expect(await readText(request, 100, room)).toBe('abc');
});

test('[LIMIT-1] stops reading at the limit', async () => {
  const { request, read } = arriving(Array.from({ length: 1_000 }, () => new Uint8Array(100).fill(97)));
  expect(code(await readText(request, 250, room).catch((error) => error))).toBe(4130);
  expect(read()).toBeLessThan(10);
});

test('[LIMIT-1] reads nothing of a body that declares to be over the limit', async () => {
  const { request, read } = arriving([bytes('abc')], { 'content-length': '500' });
  expect(code(await readText(request, 250, room).catch((error) => error))).toBe(4130);
  expect(read()).toBe(0);
});

test('does not believe a length', async () => {
  const { request } = arriving([new Uint8Array(500).fill(97)], { 'content-length': '5' });
  expect(code(await readText(request, 250, room).catch((error) => error))).toBe(4130);
});

test.each([
  ['missing', new Request('http://x/', { method: 'POST' })],
  ['empty', new Request('http://x/', { method: 'POST', body: '' })],
  ['empty, as it turns out', arriving([]).request],
])('[HTTP-2] a body that is %s', async (_, request) => {
  expect(code(await readText(request, 250, room).catch((error) => error))).toBe(4001);
});

test.each([{}, { 'content-length': '2' }])('refuses what is no UTF-8 (%j)', async (headers) => {
  const { request } = arriving([Uint8Array.of(0xff, 0xfe)], headers as Record<string, string>);
  expect(code(await readText(request, 250, room).catch((error) => error))).toBe(4000);
  const cut = arriving([Uint8Array.of(0xe2, 0x98)], headers as Record<string, string>);
  expect(code(await readText(cut.request, 250, room).catch((error) => error))).toBe(4000);
});

test('a body that breaks off is the fault of its sender', async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error('connection reset')),
  });
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
  const failure = await readText(new Request('http://x/', init), 250, room).catch((error) => error);
  expect(code(failure)).toBe(4000);
});

test.each([
  ['is told what arrives', {}, [3, 3, 3]],
  ['is told at once of a body that is read whole', { 'content-length': '9' }, [9]],
])('[LIMIT-14] the intake %s', async (_, headers, told) => {
  const seen: number[] = [];
  const { request } = arriving([bytes('abc'), bytes('def'), bytes('ghi')], headers as Record<string, string>);
  await readText(request, 100, { arrived: (more) => void seen.push(more) });
  expect(seen).toEqual(told);
});
