import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

const titles = ['a', 'b', 'c', 'd', 'e'];
const at = (path: (string | number)[], call: string, ...args: unknown[]) => ({ path, call, args });
const order = (board: { cards: { title: string }[] } | undefined) =>
  board?.cards.map(({ title }) => title).join('');

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { tags: titles });
  await ana.putBoard('1', { cards: titles.map((title) => ({ title, done: false })) });
  await converged([ana, bob], (items, boards) => items.length === 1 && boards.length === 1);
  return { ana, bob };
}

scenario('all that can be done to a list arrives', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.edit('1', at(['tags'], 'insert', 1, 'inserted'));
  await ana.edit('1', at(['tags'], 'move', 0, 3));
  await ana.edit('1', at(['tags'], 'delete', 4));
  await ana.edit('1', at(['tags'], 'add', 'e'), at(['tags'], 'add', 'added'));
  await ana.edit('1', at(['tags'], 'removeFirst', 'c'));
  const [item] = await world.converged([ana, bob], ([first]) => first?.tags.includes('added'));
  expect(item?.tags).toEqual(['inserted', 'b', 'a', 'e', 'added']);

  await bob.editBoard('1', at(['cards'], 'push', { title: 'f', done: true }));
  await bob.editBoard('1', at(['cards'], 'insert', 0, { title: '0' }));
  await bob.editBoard('1', at(['cards', 2], 'set', 'done', true));
  await bob.editBoard('1', at(['cards'], 'delete', 1));
  await world.converged([ana, bob], (_, [board]) => order(board) === '0bcdef' && board!.cards[1]!.done);
});

scenario('both move in the same list at once: nothing is lost or doubled', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await Promise.all([
    ana.editBoard('1', at(['cards'], 'move', 0, 4)),
    bob.editBoard('1', at(['cards'], 'move', 4, 0)),
  ]);
  await Promise.all([
    ana.editBoard('1', at(['cards'], 'move', 1, 2), at(['cards'], 'move', 3, 0)),
    bob.editBoard('1', at(['cards'], 'move', 2, 1)),
    bob.editBoard('1', at(['cards', 0], 'set', 'done', true)),
  ]);
  await world.converged([ana, bob], (_, [board]) => board!.cards.some(({ done }) => done));
  const [board] = await ana.boards();
  expect(board!.cards.map(({ title }) => title).sort()).toEqual(titles);
});

scenario('what both moved and changed apart is merged', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.goOffline();
  await bob.goOffline();
  await ana.editBoard('1', at(['cards'], 'move', 0, 4));
  await ana.editBoard('1', at(['cards'], 'push', { title: 'of ana', done: false }));
  await ana.edit('1', at(['tags'], 'move', 0, 2), at(['tags'], 'removeAll', 'e'));
  await bob.editBoard('1', at(['cards'], 'move', 0, 2));
  await bob.editBoard('1', at(['cards', 4], 'set', 'title', 'E'));
  await bob.editBoard('1', at(['cards'], 'insert', 0, { title: 'of bob', done: true }));
  // From where there is something left also when ana has taken one out. A move from beyond the end of a list leaves a hole
  // that clients hide and the server shows, for it knows no schema.
  await bob.edit('1', at(['tags'], 'move', 3, 0), at(['tags'], 'push', 'f'));
  await ana.goOnline();
  await bob.goOnline();
  const [item] = await world.converged(
    [ana, bob],
    ([first], [board]) => first?.tags.includes('f') && !first.tags.includes('e') && board!.cards.length === 7,
  );
  expect([...item!.tags].sort()).toEqual(['a', 'b', 'c', 'd', 'f']);
  const [board] = await ana.boards();
  expect(board!.cards.map(({ title }) => title).sort()).toEqual([
    'E',
    'a',
    'b',
    'c',
    'd',
    'of ana',
    'of bob',
  ]);
  const cy = await world.open('cy');
  await world.converged([ana, bob, cy]);
});

scenario('a card that one deletes while the other moves and changes it is gone', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.goOffline();
  await ana.editBoard('1', at(['cards'], 'delete', 1));
  await bob.editBoard('1', at(['cards', 1], 'set', 'title', 'changed'));
  await bob.putBoard('2', { title: 'was offline' });
  await bob.goOnline();
  await world.converged(
    [ana, bob],
    (_, boards) => boards.length === 2 && boards[0]!.cards.length === 4 && order(boards[0]) === 'acde',
  );
});
