import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

scenario('two libraries on one device, and one server, have nothing in common', {}, async (world) => {
  const { open, converged, target, library } = world;
  const home = await open('ana');
  const work = await open('ana', { besides: home, library: 'work', namespace: 'work' });
  const family = await open('bob');
  const office = await open('cy', { library: 'work' });
  await home.put('1', { content: 'milk' });
  await work.put('1', { content: 'report' });
  await family.waitUntil(([item]) => item?.content === 'milk');
  await office.waitUntil(([item]) => item?.content === 'report');
  await family.addTag('1', 'at home');
  await office.addTag('1', 'at work');
  await converged([home, family], ([item]) => item?.tags.join() === 'at home');
  await converged([work, office], ([item]) => item?.tags.join() === 'at work');
  const usersOf = async (id: string) =>
    (await target.library(id).getInfo())!.replicas.map(({ userId }) => userId).sort();
  expect(await usersOf(library)).toEqual(['ana', 'bob']);
  expect(await usersOf('work')).toEqual(['ana', 'cy']);
});

scenario(
  'an eviction of one leaves the other alone',
  { resets: 'due' },
  async ({ open, converged, target, server }) => {
    const home = await open('ana');
    const work = await open('ana', { besides: home, library: 'work', namespace: 'work' });
    await home.put('1', { content: 'milk' });
    await work.put('1', { content: 'report' });
    await converged([home], (items) => items.length === 1);
    await converged([work], (items) => items.length === 1);
    const contents = async () => {
      const { operationsCount, baselinesCount, replicas } = (await server.getInfo())!;
      return { history: operationsCount + baselinesCount, replicas: replicas.map(({ id }) => id) };
    };
    const before = await contents();
    await target.evict('work');
    expect(await contents()).toEqual(before);
    await converged([work], ([item]) => item?.content === 'report');
    await home.addTag('1', 'later');
    await converged([home], ([item]) => item?.tags.length === 1);
  },
);
