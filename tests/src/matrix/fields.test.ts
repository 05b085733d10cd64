import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

const at = (path: (string | number)[], call: string, ...args: unknown[]) => ({ path, call, args });
const set = (field: string, value: unknown) => at([], 'set', field, value);

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.putBoard('1', { title: 'plan', notes: { mon: 'rest', tue: 'work' } });
  await converged([ana, bob], (_, boards) => boards.length === 1);
  return { ana, bob };
}

scenario('keys of a map come, change and go, from both sides', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await Promise.all([
    ana.editBoard('1', at(['notes'], 'set', 'wed', 'of ana')),
    bob.editBoard('1', at(['notes'], 'set', 'thu', 'of bob')),
    bob.editBoard('1', at(['notes'], 'delete', 'tue')),
    ana.editBoard('1', at(['notes'], 'set', 'mon', 'rest, and more')),
  ]);
  await world.converged(
    [ana, bob],
    (_, [board]) => Object.keys(board!.notes).sort().join() === 'mon,thu,wed',
  );
  const [board] = await bob.boards();
  expect(board!.notes).toEqual({ mon: 'rest, and more', wed: 'of ana', thu: 'of bob' });
});

scenario('keys that are no plain words are keys too', {}, async (world) => {
  const { ana, bob } = await pair(world);
  const keys = ['a.b', 'c/d', 'e:f', 'ä ö', '', '🥛', 'constructor'];
  for (const key of keys) await ana.editBoard('1', at(['notes'], 'set', key, `note ${key}`));
  await world.converged([ana, bob], (_, [board]) => Object.keys(board!.notes).length === 2 + keys.length);
  const [board] = await bob.boards();
  for (const key of keys) expect(board!.notes[key]).toBe(`note ${key}`);
});

scenario('documents whose ids are no plain words', {}, async ({ open, converged }) => {
  const [ana, bob] = [await open('ana'), await open('bob')];
  const ids = ['a.b', 'c/d', 'e:f', 'ä ö', '🥛'];
  for (const id of ids) await ana.put(id, { tags: [id] });
  await converged([ana, bob], (items) => items.length === ids.length);
  for (const id of ids) await bob.addTag(id, 'seen');
  await bob.delete('c/d');
  const items = await converged(
    [ana, bob],
    (held) => held.length === ids.length - 1 && held.every(({ tags }) => tags.length === 2),
  );
  for (const { id, tags } of items) expect(tags).toEqual([id, 'seen']);
});

scenario('a field of any shape takes every shape', {}, async (world) => {
  const { ana, bob } = await pair(world);
  const shapes = [
    'text',
    0,
    -1.5,
    false,
    null,
    [1, 'two', null, [3]],
    { deep: { er: { list: [{ a: 1 }, { b: [] }] } }, empty: {} },
    '',
  ];
  for (const [n, shape] of shapes.entries()) {
    const [writer, reader] = n % 2 ? [ana, bob] : [bob, ana];
    await writer.editBoard('1', set('extra', shape), set('title', `shape ${n}`));
    await world.converged([reader, writer], (_, [board]) => board!.title === `shape ${n}`);
    expect((await reader.boards())[0]!.extra).toEqual(shape);
  }
});

scenario('what is within a field of any shape is changed by both', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.editBoard('1', set('extra', { list: [1, 2], inner: { a: 'a' } }));
  await world.converged([ana, bob], (_, [board]) => board!.extra !== null);
  await Promise.all([
    ana.editBoard('1', at(['extra', 'list'], 'push', 3)),
    bob.editBoard('1', at(['extra', 'inner'], 'set', 'b', 'b')),
  ]);
  await world.converged([ana, bob], (_, [board]) => {
    const extra = board!.extra as { list: number[]; inner: Record<string, string> };
    return extra.list.length === 3 && extra.inner.b === 'b';
  });
  expect((await ana.boards())[0]!.extra).toEqual({ list: [1, 2, 3], inner: { a: 'a', b: 'b' } });
});
