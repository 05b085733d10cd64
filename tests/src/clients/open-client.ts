import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, createBrowser, createDevice, type Device } from './browser.js';
import { loadVerdant, type Sync, type SyncOptions, type Verdant } from './bundle.js';
import { type DriverOptions, openDriver, type Transport } from './driver.js';
import { type TestClient as AnyClient, createTestClient } from './test-client.js';
import type { Wire } from './wire-log.js';

export interface OpenOptions extends Omit<DriverOptions, 'transport'> {
  userId: string;
  transport?: Transport;
  /** The same device again is the same replica again. */
  device?: Device;
  /** Full sync options of the client, made inside its tab; nothing else about the connection is set here then. */
  sync?: (verdant: Verdant) => SyncOptions;
  /** Begin to sync at once. Default: true. */
  online?: boolean;
}

/** A client in this process: what only tests that run nowhere else may look at. */
export interface TestClient extends AnyClient {
  readonly device: Device;
  readonly wire: Wire;
  readonly browser: Browser;
  readonly sync: Sync;
}

/** Opens a client in a tab of its own in this process. */
export async function openClient({ online = true, sync, ...options }: OpenOptions): Promise<TestClient> {
  const { generation, userId, transport = 'socket', device = createDevice() } = options;
  const browser = createBrowser(device);
  const { wire } = browser;
  const verdant = loadVerdant(generation, browser);
  const { fetch, focus } = browser;
  const tab = { fetch, focus, wire, pause, indexedDB: device.indexedDB as unknown as IDBFactory };
  const { client, driver } = await openDriver(
    verdant,
    { ...options, transport, ...(sync && { sync: sync(verdant) }) },
    tab,
  );
  const page = {
    driver,
    goOffline: async () => browser.goOffline(),
    goOnline: async () => browser.goOnline(),
    destroy: async () => browser.destroy(),
  };
  const inNode = { device, browser, wire, sync: client.sync };
  const opened = extend(createTestClient({ userId, generation, transport }, page), inNode);
  if (online) await opened.start();
  return opened;
}

/** Not by spreading, which would freeze `closed` as it is now. */
const extend = <T extends object, U extends object>(target: T, more: U): T & U => Object.assign(target, more);

export type { Transport } from './driver.js';
