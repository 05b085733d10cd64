import { expect } from 'vitest';
import { canonical } from './canonical.js';
import { type Generation, generations } from './clients/bundle.js';
import type { Item } from './clients/items.js';
import { toItem } from './clients/items.js';
import { type OpenOptions, openClient, type TestClient, type Transport } from './clients/open-client.js';
import { type App, type AppOptions, startApp } from './server.js';
import { waitFor } from './until.js';

/** Both generations over both transports. */
export const matrix: readonly { generation: Generation; transport: 'socket' | 'http'; label: string }[] =
  generations.flatMap((generation) =>
    (['socket', 'http'] as const).map((transport) => ({
      generation,
      transport,
      label: `${generation} over ${transport}`,
    })),
  );

export interface OpenInWorld extends Partial<Omit<OpenOptions, 'authEndpoint' | 'sync'>> {
  /** Default: the world's own. */
  library?: string;
  /** `type` of the token. */
  replicaType?: number;
}

/** One server, one library, and whoever opens it. */
export interface World {
  readonly app: App;
  readonly library: string;
  /** Opens a client with the world's generation and transport unless told otherwise. */
  open(userId: string, options?: OpenInWorld): Promise<TestClient>;
  /** The same device in a new tab, where the client was closed before. */
  reopen(client: TestClient, options?: OpenInWorld): Promise<TestClient>;
  /** Everyone, and the server, comes to hold the same documents; resolves with these. */
  converged(clients: TestClient[], condition?: (items: Item[]) => unknown): Promise<Item[]>;
}

export interface WorldOptions extends AppOptions {
  generation?: Generation;
  transport?: Transport;
}

let worlds = 0;

/** Runs a scenario in a world of its own, which ends with it. */
export async function inWorld(
  options: WorldOptions,
  scenario: (world: World) => Promise<void>,
): Promise<void> {
  const { generation = '5.5.0', transport = 'socket', ...appOptions } = options;
  const app = await startApp(appOptions);
  const library = `library-${++worlds}`;
  const clients: TestClient[] = [];

  const open: World['open'] = async (userId, { library: other, replicaType, ...opened } = {}) => {
    const authEndpoint = authUrl(app.base, other ?? library, userId, replicaType);
    const client = await openClient({ generation, transport, ...opened, authEndpoint, userId });
    clients.push(client);
    return client;
  };
  const world: World = {
    app,
    library,
    open,
    reopen: (client, opened) =>
      open(client.userId, { generation: client.generation, device: client.device, ...opened }),
    converged: async (everyone, condition = () => true) => {
      const items = await sameItems(everyone, condition);
      await expectServerHolds(app, library, items);
      return items;
    },
  };

  try {
    await scenario(world);
    for (const client of clients.filter(({ closed }) => !closed)) await expectStoredAsShown(client);
    expect(app.errors, 'what the server logged as errors').toEqual([]);
  } finally {
    for (const client of clients) client.kill();
    await app.stop();
  }
}

export function authUrl(base: string, library: string, userId: string, replicaType?: number): string {
  const query = new URLSearchParams({ userId });
  if (replicaType !== undefined) query.set('type', String(replicaType));
  return `${base}/auth/${encodeURIComponent(library)}?${query}`;
}

/** Waits until all clients hold the same items, and these satisfy `condition`. */
export async function sameItems(
  clients: TestClient[],
  condition: (items: Item[]) => unknown = () => true,
  deadline = 15_000,
): Promise<Item[]> {
  return waitFor(
    async () => {
      const [first = [], ...others] = await Promise.all(clients.map((client) => client.list()));
      if (!condition(first)) return undefined;
      const text = JSON.stringify(canonical(first));
      return others.every((items) => JSON.stringify(canonical(items)) === text) ? first : undefined;
    },
    {
      deadline,
      describe: async () => (await Promise.all(clients.map((client) => client.describe()))).join('\n\n'),
    },
  );
}

/**
 * What a client shows and what it has stored are two things, and the second counts the next time that it is opened.
 * They part when a server delivers what the client has folded already, or announces a global ack too early.
 */
async function expectStoredAsShown(client: TestClient): Promise<void> {
  await client.stop();
  let shown = '';
  await waitFor(async () => {
    const before = shown;
    shown = JSON.stringify(canonical(await client.list()));
    return shown === before;
  });
  await client.close();
  const { generation, userId, device } = client;
  const next = await openClient({
    generation,
    userId,
    device,
    authEndpoint: 'http://127.0.0.1:1',
    online: false,
  });
  const stored = canonical(await next.list());
  next.kill();
  expect(stored, `what ${client.name} has stored is not what it showed`).toEqual(JSON.parse(shown));
}

/** A server may be a moment behind a client that has just written. */
async function expectServerHolds(app: App, library: string, items: Item[]): Promise<void> {
  let seen: unknown[] = [];
  const read = async () => {
    const handle = await app.core.get(library);
    const snapshots = await Promise.all(items.map(({ id }) => handle.getDocumentSnapshot('items', id)));
    seen = snapshots.map((snapshot) => snapshot && toItem(snapshot as Record<string, unknown>));
    return JSON.stringify(canonical(seen)) === JSON.stringify(canonical(items));
  };
  await waitFor(read, {
    describe: () => `clients hold ${JSON.stringify(items)}\nthe server holds ${JSON.stringify(seen)}`,
  });
}
