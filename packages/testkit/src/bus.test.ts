import { memoryBus } from '@verdant-web/core/memory';
import { expect, test } from 'vitest';
import { busContract } from './bus.js';

busContract({
  name: 'memory',
  async create() {
    const bus = memoryBus();
    return { connect: async () => bus.connect(), dispose: async () => {} };
  },
});

test('what a listener of the bus in memory threw is told', async () => {
  const errors: unknown[] = [];
  const bus = memoryBus({ onError: (error) => errors.push(error) }).connect();
  const reason = new Error('on purpose');
  await bus.subscribe('channel', () => {
    throw reason;
  });
  const heard = new Promise((resolve) => bus.subscribe('channel', resolve));
  await bus.publish('channel', 'message');
  await heard;
  expect(errors).toEqual([reason]);
});
