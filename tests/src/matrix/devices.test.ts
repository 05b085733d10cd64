import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

scenario(
  'a user goes from one device to the other, online and not',
  {},
  async ({ open, server, converged }) => {
    const [phone, laptop] = [await open('ana'), await open('ana')];
    await phone.put('1', { content: 'milk' });
    await laptop.waitUntil((items) => items.length === 1);
    await laptop.addTag('1', 'of the laptop');
    await converged([phone, laptop], ([item]) => item?.tags.length === 1);
    await phone.goOffline();
    await phone.addTag('1', 'on the train');
    await phone.put('2', { content: 'written on the train' });
    await laptop.update('1', { purchased: true });
    await phone.goOnline();
    const items = await converged(
      [phone, laptop],
      (held) => held.length === 2 && held[0]!.tags.length === 2 && held[0]!.purchased,
    );
    expect(items[1]?.content).toBe('written on the train');
    const replicas = (await server.getInfo())!.replicas;
    expect(replicas.map(({ userId }) => userId)).toEqual(['ana', 'ana']);
    expect(Object.keys(await server.getPresence())).toEqual(['ana']);
    for (const device of [phone, laptop]) expect(await device.peers()).toEqual({});
  },
);

scenario('others see one user, whatever device speaks', {}, async ({ open, converged }) => {
  const [phone, laptop, bob] = [await open('ana'), await open('ana'), await open('bob')];
  await phone.put('1');
  await laptop.waitUntil((items) => items.length === 1);
  await laptop.addTag('1', 'of the laptop');
  await converged([phone, laptop, bob], ([item]) => item?.tags.length === 1);
  await waitFor(async () => (await bob.peers()).ana, { deadline: 20_000, describe: bob.describe });
  expect(Object.keys(await bob.peers())).toEqual(['ana']);
});
