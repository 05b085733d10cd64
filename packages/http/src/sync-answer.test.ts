import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import { createHttpRouter } from './router.js';
import { asClient, fakeCore, pieces } from './testing/fake-core.js';

const HEAD_WITHIN_MS = 30;
const ask = async (request: () => Promise<AsyncIterable<string>>) => {
  const { core, logged } = fakeCore({ request });
  const app = new Hono().route('/verdant', createHttpRouter(core, { headWithinMs: HEAD_WITHIN_MS }));
  const response = await app.request('/verdant', { method: 'POST', body: '{}', headers: asClient });
  return { response, logged };
};

test('a small answer leaves whole', async () => {
  const { response } = await ask(async () => pieces('{"messages":', '[', ']}'));
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({ messages: [] });
});

test('a large answer leaves in pieces, taken only as they are read', async () => {
  let made = 0;
  async function* many() {
    for (; made < 100; made++) yield 'x'.repeat(50_000);
  }
  const { response } = await ask(async () => many());
  expect(made).toBeLessThan(10);
  expect((await response.text()).length).toBe(5_000_000);
  expect(made).toBe(100);
});

test('[HTTP-6] the head leaves before a slow answer is known', async () => {
  let answer: (pieces: AsyncIterable<string>) => void = () => {};
  const { response } = await ask(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  expect(response.status).toBe(200);
  expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  answer(pieces('{"messages":[]}'));
  expect(await response.json()).toEqual({ messages: [] });
});

test('[HTTP-6] the head leaves before a slow first piece', async () => {
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slow() {
    yield '{"messages"';
    await gate;
    yield ':[]}';
  }
  const { response } = await ask(async () => slow());
  expect(response.status).toBe(200);
  go();
  expect(await response.json()).toEqual({ messages: [] });
});

test('a failure before the head has left is an answer of its own, even with pieces made', async () => {
  async function* failing() {
    yield '{"messages":';
    throw new Error('disk full');
  }
  const { response } = await ask(async () => failing());
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ code: 5000 });
});

test('[HTTP-7] a failure after the head has left breaks the answer off, and is logged', async () => {
  let fail: (error: Error) => void = () => {};
  const { response, logged } = await ask(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  expect(response.status).toBe(200);
  const fault = new Error('disk full');
  fail(fault);
  await expect(response.text()).rejects.toThrow('broke off');
  expect(logged).toContainEqual(['warn', expect.any(String), expect.objectContaining({ err: fault })]);
});

test('a reader that leaves ends the making of pieces', async () => {
  const ended = vi.fn();
  async function* endless() {
    try {
      for (;;) yield 'x'.repeat(100_000);
    } finally {
      ended();
    }
  }
  const { response } = await ask(async () => endless());
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  expect(ended).toHaveBeenCalledOnce();
});

test('a reader that leaves before there is an answer ends it too', async () => {
  const ended = vi.fn();
  let answer: (pieces: AsyncIterable<string>) => void = () => {};
  const { response } = await ask(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const cancelled = response.body!.cancel();
  async function* endless() {
    try {
      for (;;) yield 'x'.repeat(100_000);
    } finally {
      ended();
    }
  }
  answer(endless());
  await cancelled;
  expect(ended).toHaveBeenCalledOnce();
});

test('an answer that nobody reads is let go of after a time, with all that it holds on to', async () => {
  vi.useFakeTimers();
  try {
    let isHeld = true;
    async function* endless() {
      try {
        for (;;) yield 'x'.repeat(50_000);
      } finally {
        isHeld = false;
      }
    }
    const { response, logged } = await ask(async () => endless());
    const reader = response.body!.getReader();
    // One that reads now and then is not.
    for (let minute = 0; minute < 10; minute++) {
      await reader.read();
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(isHeld).toBe(true);

    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(isHeld).toBe(false);
    expect(JSON.stringify(logged)).toContain('is not read');
    await expect(reader.read().then(() => reader.read())).rejects.toThrow();
  } finally {
    vi.useRealTimers();
  }
});
