import type { MessageBus } from '@verdant-web/core';
import { describe, expect, test, vi } from 'vitest';

/** A message bus of its own, for one test. */
export interface BusUnderTest {
  /** One more server's connection to it. */
  connect(): Promise<MessageBus>;
  /** Closes what is open and removes what the test left. */
  dispose(): Promise<void>;
}

/** What {@link busContract} runs on. */
export interface BusContractOptions {
  /** Names the suite. */
  name: string;
  /** A bus that nobody else uses. Called once a test. */
  create(): Promise<BusUnderTest>;
  /** How long a message may take when nothing is wrong, in ms. Default 10,000. */
  deliveryMs?: number;
}

/**
 * Registers a vitest suite that proves a `MessageBus`. A bus may lose a message, so the suite rings until it is heard; one that
 * never gets through within `deliveryMs` fails.
 *
 * @example
 * ```ts
 * import { memoryBus } from '@verdant-web/core/memory';
 * import { busContract } from '@verdant-web/testkit/bus';
 *
 * busContract({
 *   name: 'memory',
 *   async create() {
 *     const bus = memoryBus();
 *     return { connect: async () => bus.connect(), dispose: async () => {} };
 *   },
 * });
 * ```
 */
export function busContract({ name, create, deliveryMs = 10_000 }: BusContractOptions): void {
  const busTest = (title: string, body: (bus: BusFixture) => Promise<void>) =>
    test(title, { timeout: 6 * deliveryMs }, async () => {
      const bus = new BusFixture(await create(), deliveryMs);
      try {
        await body(bus);
      } finally {
        await bus.dispose();
      }
    });

  describe(`bus contract: ${name}`, () => {
    busTest('a message reaches every subscriber of its channel, the publisher’s own too', async (bus) => {
      const [one, two, three] = [await bus.connect(), await bus.connect(), await bus.connect()];
      const ears = [await hear(one), await hear(two), await hear(two), await hear(three)];
      await bus.ringUntil(one, 'channel', 'hello', () => ears.every(({ heard }) => heard.includes('hello')));
      for (const { heard } of ears) expect(new Set(heard)).toEqual(new Set(['hello']));
    });

    busTest('a message reaches nobody on another channel', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const ears = new Map<string, string[]>();
      for (const channel of CHANNELS) ears.set(channel, (await hear(two, channel)).heard);
      for (const channel of CHANNELS) {
        const message = JSON.stringify({ channel });
        await bus.ringUntil(one, channel, message, () => ears.get(channel)!.includes(message));
      }
      for (const [channel, heard] of ears)
        expect(new Set(heard)).toEqual(new Set([JSON.stringify({ channel })]));
    });

    busTest('text of any characters comes as it was published', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const { heard } = await hear(two);
      for (const text of TEXTS) await bus.ringUntil(one, 'channel', text, () => heard.includes(text));
      expect(new Set(heard)).toEqual(new Set(TEXTS));
    });

    busTest('a message as large as the limit comes whole; a larger one is refused', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const { heard } = await hear(two);
      const { maxMessageBytes } = one.limits;
      const large = `${'é'.repeat(Math.floor(maxMessageBytes / 2))}${'x'.repeat(maxMessageBytes % 2)}`;
      await bus.ringUntil(one, 'channel', large, () => heard.length > 0);
      expect(heard[0] === large).toBe(true);
      await expect(one.publish('channel', `${large}x`)).rejects.toThrow();
      await expect(one.publish('channel', `${large.slice(1)}漢`)).rejects.toThrow();
    });

    busTest('a subscription that was ended hears nothing more; the others of the channel do', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const [ended, other] = [await hear(two), await hear(two)];
      await bus.ringUntil(one, 'channel', 'first', () => ended.heard.length > 0 && other.heard.length > 0);
      await ended.unsubscribe();
      await ended.unsubscribe();
      const before = ended.heard.length;
      await bus.ringUntil(one, 'channel', 'second', () => other.heard.includes('second'));
      expect(ended.heard).toHaveLength(before);
    });

    busTest('the same listener can be subscribed twice, and ended once', async (bus) => {
      const one = await bus.connect();
      const heard: string[] = [];
      const listener = (message: string) => void heard.push(message);
      const unsubscribe = await one.subscribe('channel', listener);
      await one.subscribe('channel', listener);
      await unsubscribe();
      await bus.ringUntil(one, 'channel', 'still', () => heard.includes('still'));
    });

    busTest('a listener that throws or rejects harms nobody', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      await two.subscribe('channel', () => {
        throw new Error('thrown by a listener, on purpose');
      });
      const rejecting = async () => Promise.reject(new Error('rejected by a listener, on purpose'));
      await two.subscribe('channel', rejecting);
      const { heard } = await hear(two);
      for (const message of ['first', 'second']) {
        await bus.ringUntil(one, 'channel', message, () => heard.includes(message));
      }
    });

    busTest('a listener is not called before publish has returned', async (bus) => {
      const one = await bus.connect();
      const { heard } = await hear(one);
      const publishing = one.publish('channel', 'message');
      expect(heard).toEqual([]);
      await publishing;
      await bus.ringUntil(one, 'channel', 'message', () => heard.length > 0);
    });

    busTest('a listener may publish, subscribe and unsubscribe', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const answers = await hear(one, 'answers');
      const unsubscribe = await two.subscribe('channel', async (message) => {
        await unsubscribe();
        await two.subscribe('later', () => {});
        await two.publish('answers', `answer to ${message}`);
      });
      await bus.ringUntil(one, 'channel', 'question', () => answers.heard.length > 0);
      expect(answers.heard[0]).toBe('answer to question');
    });

    busTest('a hundred channels and a hundred messages on each find their ways', async (bus) => {
      const [one, two] = [await bus.connect(), await bus.connect()];
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const heard = new Map<number, Set<string>>();
      for (const channel of numbers) {
        heard.set(channel, new Set());
        await two.subscribe(`channel-${channel}`, (message) => heard.get(channel)!.add(message));
      }
      for (const channel of numbers) {
        await Promise.all(numbers.map((n) => one.publish(`channel-${channel}`, `${channel}:${n}`)));
      }
      for (const channel of numbers) {
        const last = `${channel}:last`;
        await bus.ringUntil(one, `channel-${channel}`, last, () => heard.get(channel)!.has(last));
        for (const message of heard.get(channel)!) expect(message.startsWith(`${channel}:`)).toBe(true);
      }
    });

    busTest('closing one connection ends its subscriptions, and nobody else’s', async (bus) => {
      const [one, two, three] = [await bus.connect(), await bus.connect(), await bus.connect()];
      const [closed, other] = [await hear(two), await hear(three)];
      await two.close();
      await two.close();
      await bus.ringUntil(one, 'channel', 'after', () => other.heard.includes('after'));
      expect(closed.heard).toEqual([]);
      await closed.unsubscribe();
      await expect(two.publish('channel', 'x')).rejects.toThrow();
      await expect(two.subscribe('channel', () => {})).rejects.toThrow();
    });
  });
}

/** Channels are chosen by users, as libraries are. */
const CHANNELS = [
  'a',
  'A',
  'aa',
  '',
  ' ',
  'a:b',
  'a*',
  '*',
  'a.b',
  "it's",
  'é',
  'e\u0301',
  '😀',
  'a\0b',
  'a\0',
  '\ud800',
  '\ufffd',
  'x'.repeat(5000),
];

const TEXTS = [
  'plain',
  '',
  ' ',
  'it\'s "quoted" \\ %',
  '\r\n\t',
  '\u2028',
  '\u0001',
  '\ufeffa',
  'é',
  'e\u0301',
  '漢字',
  '😀',
];

class BusFixture {
  readonly #underTest: BusUnderTest;
  readonly #deliveryMs: number;
  readonly #connections: MessageBus[] = [];

  constructor(underTest: BusUnderTest, deliveryMs: number) {
    this.#underTest = underTest;
    this.#deliveryMs = deliveryMs;
  }

  async connect(): Promise<MessageBus> {
    const connection = await this.#underTest.connect();
    this.#connections.push(connection);
    return connection;
  }

  /** Publishes, and again after a while, since one message may be lost, until what it is to bring about has come about. */
  async ringUntil(bus: MessageBus, channel: string, message: string, came: () => boolean): Promise<void> {
    const timeout = this.#deliveryMs / 4;
    for (let attempt = 1; ; attempt++) {
      await bus.publish(channel, message);
      const what = `A message on channel ${JSON.stringify(channel.slice(0, 80))} had not come after ${this.#deliveryMs} ms`;
      try {
        await vi.waitUntil(came, { timeout, interval: 5 });
        return;
      } catch (error) {
        if (attempt === 4) throw new Error(what, { cause: error });
      }
    }
  }

  async dispose(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    await this.#underTest.dispose();
  }
}

async function hear(bus: MessageBus, channel = 'channel') {
  const heard: string[] = [];
  const unsubscribe = await bus.subscribe(channel, (message) => void heard.push(message));
  return { heard, unsubscribe };
}
