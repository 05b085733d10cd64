import { ReplicaType } from '@verdant-web/protocol';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const passive = { replicaType: ReplicaType.PassiveRealtime };

scenario('a passive replica reads and writes as any other', {}, async ({ open, converged }) => {
  const [ana, display] = [await open('ana'), await open('display', passive)];
  await ana.put('1', { content: 'milk' });
  await display.waitUntil((items) => items.length === 1);
  await display.addTag('1', 'of the display');
  await display.put('2', { content: 'bread' });
  await ana.waitUntil((items) => items.length === 2);
  await ana.delete('2');
  await converged([ana, display], (items) => items.length === 1 && items[0]!.tags.length === 1);
});

scenario(
  'history is folded while it is away, and it comes back to all of it',
  // It counts while its lease lasts, which is five minutes by default.
  { resets: 'due', server: { presenceLeaseMs: 5_000 } },
  async ({ server, open, reopen, converged }) => {
    const [ana, bob, display] = [await open('ana'), await open('bob'), await open('display', passive)];
    await ana.put('1', { content: 'milk' });
    await converged([ana, bob, display], (items) => items.length === 1);
    await display.close();
    for (let n = 0; n < 6; n++) {
      const [writer, reader] = n % 2 ? [ana, bob] : [bob, ana];
      await writer.addTag('1', `${n}`);
      await reader.waitUntil(([item]) => item?.tags.includes(`${n}`));
    }
    await ana.delete('1');
    await ana.put('2', { content: 'bread' });
    await bob.waitUntil(([item]) => item?.id === '2');
    await bob.addTag('2', 'seen');
    await ana.waitUntil(([item]) => item?.tags.length === 1);
    await waitFor(async () => (await server.getInfo())!.operationsCount < 8, {
      deadline: 20_000,
      describe: () => server.getInfo(),
    });
    const again = await reopen(display, passive);
    await converged([ana, bob, again], (items) => items.map(({ id }) => id).join() === '2');
    await again.addTag('2', 'of the display');
    await converged([ana, bob, again], ([item]) => item?.tags.length === 2);
  },
);

scenario(
  'a passive replica that only pushes needs no socket',
  {
    except: (['socket', 'auto'] as const).map((transport) => ({
      where: { transport },
      because: 'a token that only pushes gets no socket',
    })),
  },
  async ({ open, converged }) => {
    const [ana, sensor] = [await open('ana'), await open('sensor', { replicaType: ReplicaType.PassivePush })];
    await sensor.put('1', { content: '21 °C' });
    await ana.waitUntil((items) => items.length === 1);
    await ana.addTag('1', 'read');
    await converged([ana, sensor], ([item]) => item?.tags.length === 1);
  },
);
