import { Refusals, type Scheduler } from '@verdant-web/core';
import { expect, test } from 'vitest';
import { fakeCore } from './testing/fake-core.js';
import { handshakeLines, openRaw, startServer } from './testing/sockets.js';
import { createNodeWebsocketHandler } from './websocket-handler.js';

const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

/** Time that passes when it is told to. */
class ManualScheduler implements Scheduler {
  #now = 0;
  readonly #tasks = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    this.#tasks.set(task, this.#now + delayMs);
    return () => this.#tasks.delete(task);
  }

  soon(task: () => void): void {
    this.after(0, task);
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const [task, at] of this.#tasks) {
      if (at > this.#now) continue;
      this.#tasks.delete(task);
      task();
    }
  }

  /** How long the next task has to wait. */
  get wait(): number {
    return Math.min(...this.#tasks.values()) - this.#now;
  }
}

test('[REFUSE-4] whoever comes back with what was refused waits longer each time', async () => {
  const scheduler = new ManualScheduler();
  const refusals = new Refusals({ scheduler, maxHeld: 10 });
  const { core } = fakeCore();
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler({ ...core, refusals }));
  const knock = () => openRaw(port, ...handshakeLines({ protocols: 'Bearer, x' }));

  const first = knock();
  await eventually(() => first.ended).toBe(true);
  for (const delay of [1_000, 2_000, 4_000]) {
    const next = knock();
    await eventually(() => refusals.held).toBe(1);
    expect(scheduler.wait).toBe(delay);
    expect(next.text).toBe('');
    scheduler.pass(delay);
    await eventually(() => next.ended).toBe(true);
    expect(next.text).toContain('"code":4011');
  }

  // Someone else is not made to wait for that.
  const other = openRaw(port, ...handshakeLines({ protocols: 'Bearer, expired' }));
  await eventually(() => other.ended).toBe(true);
});
