import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

/** A tab that is not told by the others, nor by the server, as it is the same replica, sees what they wrote when it is loaded again. */
scenario(
  'what all tabs of a device write reaches everyone, and each tab once it is loaded again',
  {},
  async ({ open, reopen, converged }) => {
    const bob = await open('bob');
    const first = await open('ana');
    await first.put('1', { content: 'milk' });
    await bob.waitUntil((items) => items.length === 1);
    const second = await open('ana', { besides: first });
    expect((await second.replica()).id).toBe((await first.replica()).id);
    await second.waitUntil((items) => items.length === 1);

    for (const n of [0, 1, 2]) {
      await Promise.all([first.addTag('1', `first ${n}`), second.addTag('1', `second ${n}`)]);
    }
    await second.put('2', { content: 'of the second' });
    await bob.waitUntil((items) => items.length === 2 && items[0]!.tags.length === 6);
    await bob.addTag('1', 'of bob');

    await first.close();
    await second.close();
    const again = await reopen(first);
    const beside = await open('ana', { besides: again });
    const [item] = await converged([bob, again, beside], ([held]) => held?.tags.length === 7);
    expect(new Set(item!.tags).size).toBe(7);
  },
);

scenario('a tab that stays goes on when the other is closed', {}, async ({ open, converged }) => {
  const bob = await open('bob');
  const first = await open('ana');
  await first.put('1');
  const second = await open('ana', { besides: first });
  await second.waitUntil((items) => items.length === 1);
  await first.close();
  await second.addTag('1', 'still here');
  await bob.waitUntil(([item]) => item?.tags.length === 1);
  await bob.addTag('1', 'seen');
  await converged([bob, second], ([item]) => item?.tags.length === 2);
});
