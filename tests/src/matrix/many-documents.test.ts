import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const COUNT = 250;
const ids = Array.from({ length: COUNT }, (_, n) => String(n).padStart(3, '0'));

scenario('several hundred documents come whole to a new device', {}, async ({ open, converged }) => {
  const ana = await open('ana', { online: false });
  await Promise.all(ids.map((id) => ana.put(id, { content: `content of ${id}`, tags: [id, 'x'] })));
  await ana.start();
  const bob = await open('bob');
  await converged([ana, bob], (items) => items.length === COUNT);
  await Promise.all(ids.slice(0, 20).map((id) => bob.addTag(id, 'seen')));
  await Promise.all(ids.slice(-20).map((id) => ana.delete(id)));
  const items = await converged(
    [ana, bob],
    (held) => held.length === COUNT - 20 && held.filter(({ tags }) => tags.length === 3).length === 20,
  );
  expect(items.map(({ id }) => id)).toEqual(ids.slice(0, -20));
});
