import { type Browser, type Page as ChromiumPage, chromium } from 'playwright-core';
import { inject } from 'vitest';
import type { TestDevice } from '../clients/device.js';
import type { Driver, DriverOptions } from '../clients/driver.js';
import { createTestClient, type TestClient } from '../clients/test-client.js';
import { layCable } from './cable.js';

/** A device whose tabs are pages of a real Chromium. Its network is that of all its tabs. */
export async function createChromiumDevice(serverBase: string): Promise<TestDevice> {
  const { pages } = chromiumOfRun();
  const context = await (await connectOnce()).newContext();
  const cable = await layCable(Number(new URL(serverBase).port));
  const errors: string[] = [];

  const open: TestDevice['open'] = async ({ userId, ...options }) => {
    let client: TestClient | undefined;
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      // A poll that is put together while its client closes finds the database closed.
      if (!client?.closed) errors.push(`${userId}: ${error.stack ?? error.message}`);
    });
    await page.goto(`${pages}/${options.generation}`);
    await page.evaluate((opened) => window.openTab(opened), options as DriverOptions);
    client = createTestClient(
      { userId, generation: options.generation, transport: options.transport },
      {
        driver: driverIn(page),
        goOffline: async () => {
          cable.cut();
          await context.setOffline(true);
        },
        goOnline: async () => {
          cable.mend();
          await context.setOffline(false);
        },
        destroy: () => page.close(),
      },
    );
    return client;
  };

  return {
    base: `http://localhost:${cable.port}`,
    open,
    errors,
    end: async () => {
      await context.close();
      await cable.end();
    },
  };
}

/** Each method of the driver is one of the page's. */
const driverIn = (page: ChromiumPage): Driver =>
  new Proxy({} as Driver, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        page.evaluate(([name, values]) => window.callDriver(name, values), [method, args] as const),
  });

let browser: Promise<Browser> | undefined;

/** One connection for each file of tests; it ends with the worker that the file runs in. */
function connectOnce(): Promise<Browser> {
  browser ??= chromium.connect(chromiumOfRun().endpoint);
  return browser;
}

function chromiumOfRun() {
  const found = inject('chromium');
  if ('missing' in found) throw new Error(found.missing);
  return found;
}
