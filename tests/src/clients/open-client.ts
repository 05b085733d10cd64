import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../until.js';
import { type Browser, createBrowser, createDevice, type Device } from './browser.js';
import {
  type ClientOptions,
  type Entity,
  type FileEntity,
  type Generation,
  type ListEntity,
  type LocalReplica,
  loadVerdant,
  type MapEntity,
  type Sync,
  type SyncOptions,
  type UserInfo,
  type Verdant,
  type VerdantClient,
} from './bundle.js';
import { byId, type Item, type ItemChanges, type ItemInit, itemsSchema, toItem } from './items.js';
import type { Wire } from './wire-log.js';

/** `socket` and `http` stay what they are; `auto` begins over HTTP and changes by itself, as the client does by default. */
export type Transport = 'socket' | 'http' | 'auto';

export interface OpenOptions {
  generation: Generation;
  /** Where the tokens come from; with `sync` instead, nothing else about the connection is set here. */
  authEndpoint?: string;
  userId: string;
  transport?: Transport;
  /** The same device again is the same replica again. */
  device?: Device;
  pullInterval?: number;
  presence?: Record<string, unknown>;
  /** Full sync options of the client, made inside its tab. */
  sync?: (verdant: Verdant) => SyncOptions;
  /** Begin to sync at once. Default: true. */
  online?: boolean;
}

export interface File {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A client of either generation. */
export interface TestClient {
  readonly name: string;
  readonly generation: Generation;
  readonly userId: string;
  readonly device: Device;
  readonly wire: Wire;
  readonly browser: Browser;
  readonly sync: Sync;
  /** Its tab is closed or dead. */
  readonly closed: boolean;
  /** Everything below that changes something resolves when the change is in the local database and was offered to sync. */
  put(id: string, init?: ItemInit): Promise<void>;
  /** 5.x: a document that only this user's replicas get. */
  putPrivate(id: string, init?: ItemInit): Promise<void>;
  update(id: string, changes: ItemChanges): Promise<void>;
  addTag(id: string, tag: string): Promise<void>;
  removeTag(id: string, tag: string): Promise<void>;
  setLabel(id: string, key: string, value: string): Promise<void>;
  attachImage(id: string, file: File): Promise<void>;
  detachImage(id: string): Promise<void>;
  delete(id: string): Promise<void>;
  get(id: string): Promise<Item | null>;
  /** All items, sorted by id. */
  list(): Promise<Item[]>;
  /** The item's image once this client has loaded it, null before. */
  image(id: string): Promise<File | null>;
  setPresence(presence: Record<string, unknown>): Promise<void>;
  peers(): Record<string, UserInfo>;
  replica(): Promise<LocalReplica>;
  /** Begin to sync, and wait until the first answer is applied. */
  start(): Promise<void>;
  /** Wait until an answer to a sync that was not sent yet is applied; over a socket that takes a reconnect. */
  nextSync(): Promise<void>;
  /** Stop syncing in an orderly way, as an app does that logs its user out. */
  stop(): Promise<void>;
  /** Lose the network. The client notices it as a browser does. */
  goOffline(): void;
  goOnline(): void;
  /** Close the client and its tab; the device stays. */
  close(): Promise<void>;
  /** The tab dies with whatever it was doing. */
  kill(): void;
  waitUntil(condition: (items: Item[]) => unknown, deadline?: number): Promise<void>;
  describe(): Promise<string>;
}

/** Short, so that a scenario over HTTP takes about as long as one over a socket. */
const PULL_INTERVAL_MS = 120;

export async function openClient(options: OpenOptions): Promise<TestClient> {
  const { generation, userId, transport = 'socket', device = createDevice(), online = true } = options;
  const browser = createBrowser(device);
  const verdant = loadVerdant(generation, browser);
  const schema = itemsSchema(verdant);
  const client = await openers[generation](verdant, {
    namespace: 'app',
    schema,
    migrations: [verdant.createMigration(schema)],
    sync: options.sync?.(verdant) ?? syncOptions(options, transport, browser),
    log: false,
    indexedDb: device.indexedDB,
    oldSchemas: [schema],
    // Ten seconds by default: no scenario would see how a client folds its own history.
    rebaseTimeout: 100,
  });
  const opened = wrap(client, verdant, browser, device, generation, userId, transport);
  if (online) await opened.start();
  return opened;
}

/** All that differs in how a client is opened. */
const openers: Record<Generation, (verdant: Verdant, options: ClientOptions) => Promise<VerdantClient>> = {
  '3.6.3': ({ ClientDescriptor }, options) => new ClientDescriptor({ ...options, log: () => {} }).open(),
  '5.5.0': async ({ Client }, options) => {
    const client = new Client(options);
    await client.__persistenceReady;
    return client;
  },
};

function syncOptions(options: OpenOptions, transport: Transport, browser: Browser): SyncOptions {
  const { authEndpoint } = options;
  return {
    initialPresence: options.presence ?? {},
    defaultProfile: {},
    initialTransport: transport === 'socket' ? 'realtime' : 'pull',
    automaticTransportSelection: transport === 'auto',
    pullInterval: options.pullInterval ?? PULL_INTERVAL_MS,
    presenceUpdateBatchTimeout: 20,
    ...(authEndpoint && { fetchAuth: () => fetchToken(authEndpoint, browser, transport) }),
  };
}

/**
 * Asks for a token until there is one. 5.x gives up reconnecting for good when the request for a token fails once, which
 * happens to an app whose server restarts; an app that cares retries, as this one. Over HTTP not for long: a poll that
 * takes over 3 s is the client's last.
 */
async function fetchToken(endpoint: string, browser: Browser, transport: Transport) {
  const end = Date.now() + (transport === 'socket' ? 60_000 : 1_500);
  for (;;) {
    try {
      const response = await browser.fetch(endpoint);
      if (response.ok) return (await response.json()) as { accessToken: string };
      if (Date.now() > end) throw new Error(`auth endpoint: ${response.status}`);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(50);
  }
}

function wrap(
  client: VerdantClient,
  verdant: Verdant,
  browser: Browser,
  device: Device,
  generation: Generation,
  userId: string,
  transport: Transport,
): TestClient {
  const name = `${userId} (${generation}, ${transport})`;
  const { items, sync } = client;

  const entity = async (id: string): Promise<Entity> => {
    const found = await items.get(id).resolved;
    if (!found) throw new Error(`${name} has no item ${id}`);
    return found;
  };
  /** Changes wait 200 ms for more of their kind, unless told not to. */
  const flush = () => client.entities.flushAllBatches();
  const change = async (id: string, apply: (entity: Entity) => void) => {
    apply(await entity(id));
    await flush();
  };
  const put = async (id: string, init: ItemInit, options: Record<string, unknown>) => {
    await items.put({ id, ...init }, options);
    await flush();
  };
  const list = async () => {
    // A key of its own each time: a query that is cached may answer from before the last change.
    const entities = await items.findAll({ key: randomUUID() }).resolved;
    return entities
      .map((found) => found.getSnapshot())
      .filter((snapshot) => snapshot !== null)
      .map(toItem)
      .sort(byId);
  };
  const replica = async () =>
    client.meta ? client.meta.localReplica.get() : (await client.__persistence!.meta).getLocalReplica();
  const describe = async () => {
    const held = await list().catch((error: unknown) => String(error));
    return `${name} holds ${JSON.stringify(held)}\n  ${sync.mode}, ${sync.status}, connected: ${sync.isConnected}; last messages:\n${browser.wire.summary()}`;
  };
  const answers = () => browser.wire.received('sync-resp');
  /** Received is not applied: the client records the time of an answer once it has stored all that came with it. */
  const applied = async (count: number) => {
    const answer = answers()[count];
    const { lastSyncedLogicalTime } = await replica();
    return answer && lastSyncedLogicalTime && lastSyncedLogicalTime >= answer.ackedTimestamp!;
  };
  let closed = false;

  return {
    name,
    generation,
    userId,
    device,
    browser,
    wire: browser.wire,
    sync,
    get closed() {
      return closed;
    },
    put: (id, init = {}) => put(id, init, {}),
    putPrivate: (id, init = {}) =>
      put(id, init, {
        access: verdant.authorization.private,
        silenceAccessControlWithPrimaryKeyWarning: true,
      }),
    update: (id, changes) => change(id, (found) => found.update({ ...changes })),
    addTag: (id, tag) => change(id, (found) => (found.get('tags') as ListEntity).push(tag)),
    removeTag: (id, tag) => change(id, (found) => (found.get('tags') as ListEntity).removeAll(tag)),
    setLabel: (id, key, value) => change(id, (found) => (found.get('labels') as MapEntity).set(key, value)),
    attachImage: (id, file) =>
      change(id, (found) =>
        found.set('image', new globalThis.File([file.bytes], file.name, { type: file.type })),
      ),
    detachImage: (id) => change(id, (found) => found.set('image', null)),
    delete: async (id) => {
      await items.delete(id);
      await flush();
    },
    get: async (id) => {
      const snapshot = (await items.get(id).resolved)?.getSnapshot();
      return snapshot ? toItem(snapshot) : null;
    },
    list,
    image: async (id) => {
      const file = (await entity(id)).get('image') as FileEntity | null;
      if (!file?.url) return null;
      const response = await browser.fetch(file.url);
      if (!response.ok) return null;
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { name: file.name ?? '', type: file.type ?? '', bytes };
    },
    setPresence: (presence) => sync.presence.update(presence),
    peers: () => sync.presence.peers,
    replica,
    start: async () => {
      const before = answers().length;
      await sync.start();
      await waitFor(() => applied(before), { deadline: 15_000, describe });
    },
    nextSync: async () => {
      // The answer after the next: the next may belong to a sync that is on its way.
      const second = answers().length + 1;
      await waitFor(() => applied(second), { deadline: 15_000, describe });
    },
    stop: async () => {
      await sync.stop();
    },
    goOffline: browser.goOffline,
    goOnline: browser.goOnline,
    close: async () => {
      closed = true;
      await client.close();
      browser.destroy();
    },
    kill: () => {
      closed = true;
      browser.destroy();
    },
    waitUntil: async (condition, deadline = 10_000) => {
      await waitFor(async () => condition(await list()), { deadline, describe });
    },
    describe,
  };
}
