import type { TestClient } from '../clients/open-client.js';
import { waitFor } from '../until.js';
import type { World } from '../world.js';

/**
 * Waits until devices have brought an empty library everything back, and a new one has it from there. Pages are loaded anew
 * in between: 5.x hides a document that a reset brings while it is on the screen.
 */
export async function expectRestored(world: World, devices: TestClient[], items: number): Promise<void> {
  const { app, library } = world;
  const replicas = async () => (await app.core.get(library).getInfo())?.replicas.length ?? 0;
  await waitFor(async () => (await replicas()) >= devices.length, { deadline: 15_000, describe: replicas });
  const fresh = await world.open('fresh');
  await fresh.waitUntil((held) => held.length === items);
  for (const device of devices) {
    if (device.transport === 'http') await device.nextSync();
    await device.close();
  }
  const again = await Promise.all(devices.map((device) => world.reopen(device)));
  await world.converged([...again, fresh], (held) => held.length === items);
}
