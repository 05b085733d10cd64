import { expect, test } from 'vitest';
import { type App, startApp } from './server.js';
import { never, waitFor } from './until.js';
import { RawReplica } from './wire.js';

// What a client loses by a global ack that came too early is pinned down in clients/behaviour.test.ts: an operation
// dated before what the client has folded is shown, and is gone the next time that the client is opened.

async function withApp(scenario: (app: App) => Promise<void>): Promise<void> {
  const app = await startApp();
  try {
    await scenario(app);
  } finally {
    await app.stop();
  }
}

const initialize = (id: string) => [`items/${id}`, { op: 'initialize', value: { id } }] as const;

test('over http, an operation whose request was lost is not passed by the global ack because a later one arrived', () =>
  withApp(async ({ base }) => {
    const [ana, bob] = [new RawReplica('library', 'ana'), new RawReplica('library', 'bob', 'http')];
    ana.operation(...initialize('1'));
    await ana.connect(base);
    await bob.poll(base);
    await bob.poll(base);

    const lost = bob.operation(...initialize('2'));
    const arrived = bob.operation(...initialize('3'));
    await bob.post(base, [arrived]);
    await waitFor(() => ana.shown.has(arrived.timestamp));
    ana.push([ana.operation(...initialize('4'))]);

    await never(
      () => ana.globalAck > lost.timestamp,
      500,
      'ana was told to fold past what bob has yet to send',
    );
    await bob.poll(base);
    await waitFor(() => ana.shown.has(lost.timestamp));
    await bob.poll(base);
    // And then it is not held back for ever.
    await waitFor(() => ana.globalAck > lost.timestamp);
    expect(bob.resets).toBe(0);
    ana.disconnect();
  }));

test('over a socket, no global ack passes an operation that somebody has yet to be shown', () =>
  withApp(async ({ base }) => {
    const replicas = ['ana', 'bob', 'cy'].map((user) => new RawReplica('library', user));
    const [ana, bob, cy] = replicas as [RawReplica, RawReplica, RawReplica];
    ana.operation(...initialize('1'));
    for (const replica of replicas) await replica.connect(base);
    // Dated by all three at once, and sent in an order of its own.
    const [first, second, third] = [cy, bob, ana].map((replica, n) =>
      replica.operation(...initialize(`${n + 2}`)),
    );
    const early: string[] = [];
    const watch = setInterval(() => {
      for (const replica of replicas) {
        for (const operation of [first!, second!, third!]) {
          const holds = replica.shown.has(operation.timestamp) || replica.written.includes(operation);
          if (!holds && replica.globalAck > operation.timestamp)
            early.push(`${replica.userId} ${operation.oid}`);
        }
      }
    }, 1);
    try {
      ana.push([third!]);
      bob.push([second!]);
      cy.push([first!]);
      await waitFor(() => replicas.every(({ shown }) => shown.size >= 2));
      await waitFor(() => replicas.every(({ globalAck }) => globalAck >= first!.timestamp));
    } finally {
      clearInterval(watch);
      for (const replica of replicas) replica.disconnect();
    }
    expect(early).toEqual([]);
  }));
