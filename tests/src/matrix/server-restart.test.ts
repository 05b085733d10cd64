import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

scenario('everyone goes on after a restart of the server', {}, async (world) => {
  const { open, converged, target } = world;
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk' });
  await converged([ana, bob], (items) => items.length === 1);
  await target.restart();
  await ana.addTag('1', 'of ana');
  await bob.addTag('1', 'of bob');
  await converged([ana, bob], ([item]) => item?.tags.length === 2);
  const cy = await open('cy');
  await converged([ana, bob, cy], ([item]) => item?.tags.length === 2);
});
