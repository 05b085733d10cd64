import { expect, test } from 'vitest';
import { generations } from './bundle.js';
import { openClient } from './open-client.js';

for (const generation of generations) {
  test(`${generation} opens, keeps its documents on its device, and is another replica on another`, async () => {
    const local = {
      generation,
      authEndpoint: 'http://127.0.0.1:1/auth',
      userId: 'ana',
      online: false,
    } as const;
    const first = await openClient(local);
    await first.put('1', { content: 'milk', tags: ['cold'], labels: { shop: 'corner' } });
    await first.addTag('1', 'white');
    await first.update('1', { purchased: true, meta: { color: 'white', size: 2 } });
    const expected = [
      {
        id: '1',
        content: 'milk',
        tags: ['cold', 'white'],
        meta: { color: 'white', size: 2 },
        labels: { shop: 'corner' },
        purchased: true,
        image: null,
      },
    ];
    expect(await first.list()).toEqual(expected);
    const { id } = await first.replica();
    await first.close();

    const again = await openClient({ ...local, device: first.device });
    expect(await again.list()).toEqual(expected);
    expect((await again.replica()).id).toBe(id);
    await again.close();

    const other = await openClient(local);
    expect(await other.list()).toEqual([]);
    expect((await other.replica()).id).not.toBe(id);
    await other.close();
  });
}

/** fake-indexeddb lets other tasks in between the requests of a transaction. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const generation of generations) {
  test(`${generation} may be closed at any step of a change, which a browser takes without a word`, async () => {
    for (let steps = 0; steps < 12; steps++) {
      const client = await openClient({
        generation,
        authEndpoint: 'http://127.0.0.1:1/auth',
        userId: 'ana',
        online: false,
      });
      const putting = client.put('1', { content: 'milk' }).catch(() => {});
      for (let step = 0; step < steps; step++) await turn();
      await client.close();
      await Promise.race([putting, turn()]);
    }
  });
}
