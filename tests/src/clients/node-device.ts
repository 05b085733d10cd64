import { createDevice } from './browser.js';
import type { TestDevice } from './device.js';
import { openClient } from './open-client.js';

/** A device whose tabs live in this process. Errors that nobody handles fail the whole run. */
export async function createNodeDevice(base: string): Promise<TestDevice> {
  const device = createDevice();
  const tabs: Awaited<ReturnType<typeof openClient>>[] = [];
  return {
    base,
    errors: [],
    open: async (options) => {
      const tab = await openClient({ ...options, device, online: false });
      tabs.push(tab);
      return tab;
    },
    end: async () => {
      for (const { browser } of tabs) browser.destroy();
    },
  };
}
