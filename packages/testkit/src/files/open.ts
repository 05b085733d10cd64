import type { OpenedBytes } from '@verdant-web/core';
import { expect, test } from 'vitest';
import type { FileTest } from './test.js';

/** What `serveFiles` counts on. */
export function openContract({ storage, put, file }: FileTest): void {
  const open = async (changes = {}) => (await storage().open?.(file(changes))) ?? null;
  const opened = async (): Promise<OpenedBytes> => {
    const bytes = await open();
    if (!bytes) throw new Error('The file is not there.');
    return bytes;
  };
  const text = (stream: ReadableStream<Uint8Array>) =>
    new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();

  test('gives the bytes back, and says how many', async () => {
    await put(file(), 'hello');
    const bytes = await opened();
    expect(bytes.size).toBe(5);
    expect(await text(bytes.read())).toBe('hello');
  });

  test('gives a range of them, both ends included', async () => {
    await put(file(), '0123456789');
    for (const [from, to, expected] of [
      [0, 9, '0123456789'],
      [0, 0, '0'],
      [3, 5, '345'],
      [9, 9, '9'],
    ] as const) {
      expect(await text((await opened()).read({ from, to }))).toBe(expected);
    }
  });

  test('gives an empty file back', async () => {
    await put(file(), '');
    const bytes = await opened();
    expect(bytes.size).toBe(0);
    expect(await text(bytes.read())).toBe('');
  });

  test('gives many bytes back in order, whole or in part', async () => {
    const content = Uint8Array.from({ length: 3_000_017 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    await put(file(), content);
    const read = async (range?: { from: number; to: number }) =>
      Buffer.from(
        await new Response(
          (await opened()).read(range) as ReadableStream<Uint8Array<ArrayBuffer>>,
        ).arrayBuffer(),
      );
    expect(Buffer.compare(await read(), content)).toBe(0);
    const range = { from: 65_535, to: 2_000_003 };
    expect(Buffer.compare(await read(range), content.subarray(range.from, range.to + 1))).toBe(0);
  });

  test('is null where there is nothing', async () => {
    expect(await open()).toBeNull();
    await put(file(), 'hello');
    expect(await open({ id: 'other' })).toBeNull();
    await storage().delete(file());
    expect(await open()).toBeNull();
  });

  test('tells other bytes of the same file apart', async () => {
    const versions = new Set<string>();
    for (const content of ['one', 'two', 'one']) {
      await put(file(), content);
      const { version, close } = await opened();
      expect(version).toMatch(/^[\x21\x23-\x7e]+$/);
      versions.add(version);
      await close();
    }
    expect(versions.size).toBe(3);
  });

  test('tells the same bytes by the same version, and when they were stored', async () => {
    await put(file(), 'hello');
    const [one, other] = [await opened(), await opened()];
    expect(one.version).toBe(other.version);
    // Another machine's clock may be a little off; a unit mixed up is off by far more.
    expect(Math.abs(Date.now() - one.modifiedAt)).toBeLessThan(24 * 3_600_000);
    await one.close();
    await other.close();
  });

  test('gives nothing of what is put after it was opened', async () => {
    await put(file(), 'before');
    const bytes = await opened();
    await put(file(), 'after that');
    // A storage that cannot hold on to them fails, rather than mix the two.
    expect(['before', 'failed']).toContain(await text(bytes.read()).catch(() => 'failed'));
  });

  test('can be given up: unread, or in the middle', async () => {
    await put(file(), new Uint8Array(1_000_000));
    await (await opened()).close();
    const reader = (await opened()).read().getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    await storage().delete(file());
    expect(await open()).toBeNull();
  });
}
