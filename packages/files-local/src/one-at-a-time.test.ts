import { describe, expect, test } from 'vitest';
import { OneAtATime } from './one-at-a-time.js';

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

describe('OneAtATime', () => {
  test('runs tasks of one key in order, each after the end of the one before', async () => {
    const { open, opened } = gate();
    const queue = new OneAtATime();
    const log: string[] = [];
    const first = queue.run('a', async () => {
      log.push('first begins');
      await opened;
      log.push('first ends');
    });
    const second = queue.run('a', async () => log.push('second'));
    open();
    await Promise.all([first, second]);
    expect(log).toEqual(['first begins', 'first ends', 'second']);
  });

  test('does not make other keys wait', async () => {
    const { open, opened } = gate();
    const queue = new OneAtATime();
    const blocked = queue.run('a', () => opened);
    expect(await queue.run('b', async () => 'done')).toBe('done');
    open();
    await blocked;
  });

  test('hands a failure to its caller and goes on', async () => {
    const queue = new OneAtATime();
    const failed = queue.run('a', () => Promise.reject(new Error('no')));
    const next = queue.run('a', async () => 'done');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });
});
