import { join } from 'node:path';
import { sqlStorage } from '@verdant-web/server/storage';
import Database from 'better-sqlite3';
import type { Device } from '../clients/browser.js';
import { type OpenOptions, openClient, type TestClient } from '../clients/open-client.js';
import { type App, freePort, removeFolder, startApp, temporaryFolder } from '../server.js';
import { waitFor } from '../until.js';
import { authUrl } from '../world.js';
import { startOriginal } from './original-server.js';

export const LIBRARY = 'shared-list';

/** Polls that overlap, on a slow machine, are two resets for a new device: its documents vanish for a moment. */
export const PULL_INTERVAL_MS = 700;

const OFFLINE = { generation: '3.6.3', online: false, authEndpoint: 'http://127.0.0.1:1' } as const;

/** The published original server, clients of it over HTTP, and the day on which ours takes its place. */
export interface OriginalWorld {
  /** The original's database. */
  readonly file: string;
  authEndpoint(userId: string): string;
  open(userId: string, options?: Partial<OpenOptions>): Promise<TestClient>;
  /** Opens the device without a network, changes something, and closes it. */
  atNight(userId: string, device: Device, change: (client: TestClient) => Promise<void>): Promise<void>;
  /** Until the original has recorded of these users that they acknowledged the last operation. */
  acknowledged(...userIds: string[]): Promise<void>;
  /** Until the original has an operation with this text. */
  holds(text: string): Promise<void>;
  /** Until everybody has told it something dated later than this, so that clients may fold it. */
  settled(text: string): Promise<void>;
  /** Ends the original, and starts ours on its database, at the same address. */
  move(): Promise<App>;
  /** Ends everything, after `keep` had the database that the original left. */
  end(options?: { keep?: (file: string) => Promise<void> }): Promise<void>;
}

export async function startOriginalWorld(): Promise<OriginalWorld> {
  const directory = await temporaryFolder();
  const port = await freePort();
  const file = join(directory, 'verdant.sqlite');
  const original = await startOriginal(port, file);
  const ends: (() => Promise<unknown> | unknown)[] = [() => removeFolder(directory), original.stop];
  const authEndpoint = (userId: string) => authUrl(original.base, LIBRARY, userId);
  const open: OriginalWorld['open'] = async (userId, options = {}) => {
    const client = await openClient({
      generation: '3.6.3',
      transport: 'http',
      pullInterval: PULL_INTERVAL_MS,
      authEndpoint: authEndpoint(userId),
      ...options,
      userId,
    });
    ends.push(client.kill);
    return client;
  };
  return {
    file,
    authEndpoint,
    open,
    atNight: async (userId, device, change) => {
      const client = await openClient({ ...OFFLINE, userId, device });
      await change(client);
      await client.close();
    },
    acknowledged: async (...userIds) => {
      const { length } = userIds;
      const sql = `SELECT count(*) FROM ReplicaInfo WHERE clientId IN (${userIds.map((id) => `'${id}'`)})
        AND ackedServerOrder >= (SELECT max(serverOrder) FROM OperationHistory)`;
      await waitFor(() => read(file, sql) === length, { deadline: 30_000 });
    },
    holds: async (text) => {
      const sql = `SELECT count(*) FROM OperationHistory WHERE instr(data, '${text}') > 0`;
      await waitFor(() => read(file, sql), { deadline: 30_000 });
    },
    settled: async (text) => {
      const sql = `SELECT min(ackedLogicalTime) > (SELECT max(timestamp) FROM OperationHistory WHERE instr(data, '${text}') > 0)
        FROM ReplicaInfo`;
      await waitFor(() => read(file, sql), { deadline: 30_000 });
    },
    move: async () => {
      await original.stop();
      const app = await startApp({ directory, port, storage: () => sqlStorage({ databaseFile: file }) });
      ends.push(app.stop);
      return app;
    },
    end: async ({ keep } = {}) => {
      if (keep) {
        await original.stop();
        await keep(file);
      }
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}

/** The first column of the first row. */
function read(file: string, sql: string): unknown {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(sql).pluck().get();
  } finally {
    db.close();
  }
}
