import type {
  Entity,
  FileEntity,
  Generation,
  LocalReplica,
  Sync,
  SyncOptions,
  UserInfo,
  Verdant,
  VerdantClient,
} from './bundle.js';
import { byId } from './items.js';
import { appSchema, type SchemaVersion } from './schemas.js';
import type { Wire, WireEntry } from './wire-log.js';

/** `socket` and `http` stay what they are; `auto` begins over HTTP and changes by itself, as the client does by default. */
export type Transport = 'socket' | 'http' | 'auto';

export type CollectionName = 'items' | 'boards';

/** A document as its client shows it, files reduced to their ids. */
export type Snapshot = Record<string, unknown> & { id: string };

/** What is done to a document or to something in it: `path` leads there, `call` is a method of it. */
export interface Edit {
  path?: (string | number)[];
  call: string;
  args: unknown[];
}

/** A file as it goes to and from a page. */
export interface FileText {
  name: string;
  type: string;
  base64: string;
}

/** How a client is opened in its tab. All of it can be sent to another process. */
export interface DriverOptions {
  generation: Generation;
  transport: Transport;
  /** Where the tokens come from. */
  authEndpoint?: string;
  presence?: Record<string, unknown>;
  pullInterval?: number;
  schemaVersion?: SchemaVersion;
  namespace?: string;
  broadcast?: boolean;
}

/** The tab that a client runs in. */
export interface Tab {
  readonly fetch: typeof fetch;
  readonly wire: Wire;
  readonly pause: (ms: number) => Promise<void>;
  focus(): void;
  /** Where the tab has no `indexedDB` of its own that the client would find. */
  readonly indexedDB?: IDBFactory;
}

/**
 * What a person does with an app, and sees in it. Runs in the client's tab; arguments and results can be sent to another
 * process. What changes something resolves when it is in the local database and was offered to sync.
 */
export interface Driver {
  put(
    collection: CollectionName,
    init: Snapshot,
    options: { private?: boolean; undoable?: boolean },
  ): Promise<void>;
  /** All edits are one step of undo. */
  change(collection: CollectionName, id: string, edits: Edit[]): Promise<void>;
  delete(collection: CollectionName, id: string): Promise<void>;
  /** Sorted by id. */
  documents(collection: CollectionName): Promise<Snapshot[]>;
  attach(id: string, file: FileText): Promise<void>;
  image(id: string): Promise<FileText | null>;
  /** Whether there was anything to undo. */
  undo(): Promise<boolean>;
  redo(): Promise<boolean>;
  setPresence(presence: Record<string, unknown>): Promise<void>;
  /** This and the next: 5.x. */
  setPlace(place: { view?: string; field?: string }): Promise<void>;
  /** Ids of the users in the same view, and of those whose last field it is. */
  peersAt(place: { field: string }): Promise<{ inView: string[]; inField: string[] }>;
  peers(): Promise<Record<string, UserInfo>>;
  replica(): Promise<LocalReplica>;
  state(): Promise<{ mode: 'pull' | 'realtime'; status: string; connected: boolean }>;
  setMode(mode: 'pull' | 'realtime'): Promise<void>;
  /** Does not wait for anything. */
  start(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
  /** The user comes back to the tab. */
  focus(): Promise<void>;
  /**
   * Whether the last answer is stored, and no other is to be expected that takes away what is written now: a poll that was
   * sent before a reset was stored is reset once more.
   */
  calm(): Promise<boolean>;
  /** How many requests were sent, and how many of them are not answered yet. */
  requests(): Promise<{ sent: number; underWay: number }>;
  /** How many syncs were answered. */
  answers(): Promise<number>;
  /** Whether that answer, counted from 0, has come and is stored with all that came with it. */
  applied(answer: number): Promise<boolean>;
  wire(): Promise<{ entries: WireEntry[]; refusals: number[]; sockets: number; summary: string }>;
}

/** Opens a client in its tab. `sync` replaces all that is set here about the connection. */
export async function openDriver(
  verdant: Verdant,
  options: DriverOptions & { sync?: SyncOptions },
  tab: Tab,
): Promise<{ client: VerdantClient; driver: Driver }> {
  const client = await openClientOf(verdant, options, tab);
  return { client, driver: drive(client, verdant, tab, options.pullInterval ?? PULL_INTERVAL_MS) };
}

/** The client's own. */
const DEFAULT_PULL_INTERVAL_MS = 15_000;
/** Short, so that a scenario over HTTP takes about as long as one over a socket. */
const PULL_INTERVAL_MS = 150;
/** While a reset is applied, what it brings is not there for a moment. */
const ENTITY_DEADLINE_MS = 5_000;

async function openClientOf(
  verdant: Verdant,
  options: DriverOptions & { sync?: SyncOptions },
  tab: Tab,
): Promise<VerdantClient> {
  let opened: VerdantClient | undefined;
  const clientOptions = {
    namespace: options.namespace ?? 'app',
    ...appSchema(verdant, options.schemaVersion ?? 1),
    sync: options.sync ?? syncOptions(options, tab, () => opened?.sync.mode),
    log: false as const,
    ...(tab.indexedDB && { indexedDb: tab.indexedDB }),
    // Ten seconds by default: no scenario would see how a client folds its own history.
    rebaseTimeout: 100,
  };
  if (options.generation === '3.6.3') {
    opened = await new verdant.ClientDescriptor({ ...clientOptions, log: () => {} }).open();
    return opened;
  }
  opened = new verdant.Client(clientOptions);
  await opened.__persistenceReady;
  return opened;
}

function syncOptions(options: DriverOptions, tab: Tab, mode: () => Sync['mode'] | undefined): SyncOptions {
  const { authEndpoint, transport } = options;
  const initialTransport = transport === 'socket' ? 'realtime' : 'pull';
  return {
    initialPresence: options.presence ?? {},
    defaultProfile: {},
    initialTransport,
    automaticTransportSelection: transport === 'auto',
    pullInterval: options.pullInterval ?? PULL_INTERVAL_MS,
    presenceUpdateBatchTimeout: 20,
    ...(options.broadcast && { useBroadcastChannel: true }),
    ...(authEndpoint && { fetchAuth: () => fetchToken(authEndpoint, tab, mode() ?? initialTransport) }),
  };
}

/**
 * Asks for a token until there is one. 5.x gives up reconnecting for good when the request for a token fails once, which
 * happens to an app whose server restarts; an app that cares retries, as this one. Over HTTP not for long: a poll that
 * takes over 3 s is the client's last.
 */
async function fetchToken(endpoint: string, { fetch, pause }: Tab, mode: Sync['mode']) {
  const end = Date.now() + (mode === 'realtime' ? 60_000 : 1_500);
  for (;;) {
    try {
      const response = await fetch(endpoint);
      if (response.ok) return (await response.json()) as { accessToken: string };
      if (Date.now() > end) throw new Error(`auth endpoint: ${response.status}`);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(50);
  }
}

function drive(client: VerdantClient, verdant: Verdant, tab: Tab, pullInterval: number): Driver {
  const { sync } = client;
  const { wire } = tab;
  let queries = 0;

  const entity = async (collection: CollectionName, id: string): Promise<Entity> => {
    const end = Date.now() + ENTITY_DEADLINE_MS;
    for (;;) {
      const found = await client[collection].get(id).resolved;
      if (found) return found;
      if (Date.now() > end) throw new Error(`there is no ${collection}/${id}`);
      await tab.pause(20);
    }
  };
  /** Changes wait 200 ms for more of their kind, unless told not to. */
  const flush = () => client.entities.flushAllBatches();
  const change: Driver['change'] = async (collection, id, edits) => {
    const root = await entity(collection, id);
    for (const { path = [], call, args } of edits) {
      const target = path.reduce<Entity>((parent, step) => parent.get(step) as Entity, root);
      (target as unknown as Record<string, (...args: unknown[]) => void>)[call]!(...args);
    }
    await flush();
  };
  const replica: Driver['replica'] = async () =>
    client.meta ? client.meta.localReplica.get() : (await client.__persistence!.meta).getLocalReplica();
  const answers = () => wire.received('sync-resp');
  const applied: Driver['applied'] = async (answer) => {
    // The client records the time of an answer once it has stored all that came with it.
    const { ackedTimestamp } = answers()[answer] ?? {};
    const { lastSyncedLogicalTime } = await replica();
    return Boolean(ackedTimestamp && lastSyncedLogicalTime && lastSyncedLogicalTime >= ackedTimestamp);
  };
  /**
   * A poll that leaves before the last answer is applied is answered as that was. With a reset, that makes documents vanish
   * from what 5.x shows. An app that polls as rarely as the client does by default does not see it.
   */
  const holdPolls = async (answer: number) => {
    sync.setPullInterval(DEFAULT_PULL_INTERVAL_MS);
    while (!closed && !(await applied(answer))) await tab.pause(20);
    sync.setPullInterval(pullInterval);
    if (!closed && sync.mode === 'pull' && sync.status === 'active') tab.focus();
  };
  let closed = false;
  wire.onAnswer = () => void holdPolls(answers().length - 1);

  return {
    put: async (collection, init, { private: isPrivate = false, ...options }) => {
      await client[collection].put(init, {
        ...options,
        ...(isPrivate && {
          access: verdant.authorization.private,
          silenceAccessControlWithPrimaryKeyWarning: true,
        }),
      });
      await flush();
    },
    change,
    delete: async (collection, id) => {
      await client[collection].delete(id);
      await flush();
    },
    documents: async (collection) => {
      // A key of its own each time: a query that is cached may answer from before the last change.
      const found = await client[collection].findAll({ key: `documents ${queries++}` }).resolved;
      return found
        .map((document) => document.getSnapshot() as Snapshot | null)
        .filter((snapshot) => snapshot !== null)
        .map(({ image, ...fields }) =>
          image === undefined ? fields : { ...fields, image: image && (image as { id: string }).id },
        )
        .sort(byId) as Snapshot[];
    },
    attach: (id, { name, type, base64 }) =>
      change('items', id, [{ call: 'set', args: ['image', new File([toBytes(base64)], name, { type })] }]),
    image: async (id) => {
      const file = (await entity('items', id)).get('image') as FileEntity | null;
      if (!file?.url) return null;
      const response = await tab.fetch(file.url);
      if (!response.ok) return null;
      const base64 = toBase64(new Uint8Array(await response.arrayBuffer()));
      return { name: file.name ?? '', type: file.type ?? '', base64 };
    },
    undo: async () => {
      const done = await client.undoHistory.undo();
      await flush();
      return done;
    },
    redo: async () => {
      const done = await client.undoHistory.redo();
      await flush();
      return done;
    },
    setPresence: async (presence) => void (await sync.presence.update(presence)),
    setPlace: async ({ view, field }) => {
      if (view !== undefined) sync.presence.setViewId!(view);
      if (field !== undefined) sync.presence.setFieldId!(field);
    },
    peersAt: async ({ field }) => ({
      inView: sync.presence.getViewPeers!().map(({ id }) => id),
      inField: sync.presence.getFieldPeers!(field).map(({ id }) => id),
    }),
    peers: async () => JSON.parse(JSON.stringify(sync.presence.peers)),
    replica,
    state: async () => ({ mode: sync.mode, status: sync.status, connected: sync.isConnected }),
    setMode: async (mode) => sync.setMode(mode),
    start: async () => void (await sync.start()),
    stop: async () => void (await sync.stop()),
    close: async () => {
      closed = true;
      await client.close();
    },
    answers: async () => answers().length,
    applied,
    focus: async () => tab.focus(),
    calm: async () => {
      const last = wire.entries.findLast(({ message }) => message.type === 'sync-resp');
      if (!last) return true;
      if (last.transport === 'http') return !last.message.overwriteLocalData && applied(answers().length - 1);
      return !last.message.overwriteLocalData || applied(answers().length - 1);
    },
    requests: async () => ({ sent: wire.requests, underWay: wire.underWay }),
    wire: async () => ({
      entries: wire.entries,
      refusals: wire.refusals,
      sockets: wire.sockets,
      summary: wire.summary(),
    }),
  };
}

const toBytes = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
