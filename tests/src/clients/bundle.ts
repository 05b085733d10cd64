import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import type { Browser } from './browser.js';

/** The lines of the published client that are in use. */
export type Generation = '3.6.3' | '5.5.0';

export const generations: readonly Generation[] = ['3.6.3', '5.5.0'];

const packages: Record<Generation, string> = {
  '3.6.3': '@verdant-web/store',
  '5.5.0': 'verdant-store-5',
};

// What follows declares the little of the bundles that is used here; they bring no types that fit both generations.

/** A document, an object, a list or a map: they differ in which methods they have besides these. */
export interface Entity {
  get(field: string | number): unknown;
  getSnapshot(): Record<string, unknown> | null;
}

export interface FileEntity {
  readonly id: string;
  readonly url: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly loading: boolean;
  readonly failed: boolean;
}

export interface Query<T> {
  readonly resolved: Promise<T>;
}

export interface Collection {
  put(init: Record<string, unknown>, options?: Record<string, unknown>): Promise<Entity>;
  delete(id: string): Promise<void>;
  get(id: string): Query<Entity | null>;
  findAll(filter?: { key?: string }): Query<Entity[]>;
}

export interface UserInfo {
  id: string;
  replicaId: string;
  profile: unknown;
  presence: unknown;
  internal?: unknown;
}

export interface Presence {
  readonly self: UserInfo;
  readonly peers: Record<string, UserInfo>;
  update(presence: Record<string, unknown>): Promise<void>;
  /** This and all below: 5.x. */
  setViewId?(view: string | undefined): void;
  setFieldId?(field: string | undefined): void;
  getViewPeers?(): UserInfo[];
  getFieldPeers?(field: string): UserInfo[];
}

export interface Sync {
  readonly mode: 'pull' | 'realtime';
  readonly status: 'active' | 'paused';
  readonly isConnected: boolean;
  readonly presence: Presence;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
  reconnect(): void;
  setMode(mode: 'pull' | 'realtime'): void;
  setPullInterval(ms: number): void;
}

export interface LocalReplica {
  id: string;
  lastSyncedLogicalTime: string | null;
}

export interface VerdantClient {
  readonly items: Collection;
  readonly boards: Collection;
  readonly sync: Sync;
  readonly undoHistory: { undo(): Promise<boolean>; redo(): Promise<boolean> };
  readonly entities: { flushAllBatches(): Promise<unknown> };
  close(): Promise<void>;
  /** 3.x. */
  readonly meta?: { localReplica: { get(): Promise<LocalReplica> } };
  /** 5.x. */
  readonly __persistence?: { meta: Promise<{ getLocalReplica(): Promise<LocalReplica> }> };
  readonly __persistenceReady?: Promise<void>;
}

type Field = { readonly field: unique symbol };

/** The schema builder, the same in both generations as far as it is used. */
export interface SchemaBuilder {
  (init: { version: number; collections: Record<string, unknown> }): unknown;
  collection(init: { name: string; primaryKey: string; fields: Record<string, Field> }): unknown;
  fields: {
    string(options?: { default?: string; nullable?: boolean }): Field;
    number(options?: { default?: number; nullable?: boolean }): Field;
    boolean(options?: { default?: boolean }): Field;
    file(options?: { nullable?: boolean }): Field;
    any(options?: { default?: unknown }): Field;
    array(options: { items: Field }): Field;
    map(options: { values: Field }): Field;
    object(options: { properties: Record<string, Field>; default?: Record<string, unknown> }): Field;
  };
}

export interface SyncOptions {
  initialPresence: Record<string, unknown>;
  defaultProfile: Record<string, unknown>;
  authEndpoint?: string;
  fetchAuth?: () => Promise<{ accessToken: string }>;
  fetch?: typeof fetch;
  initialTransport?: 'pull' | 'realtime';
  automaticTransportSelection?: boolean | 'peers-only';
  /** Tell other tabs of the device what changes. Off by default. */
  useBroadcastChannel?: boolean;
  pullInterval?: number;
  presenceUpdateBatchTimeout?: number;
}

export interface ClientOptions {
  namespace: string;
  schema: unknown;
  migrations: unknown[];
  sync?: SyncOptions;
  log: ((...args: unknown[]) => void) | false;
  /** 3.x. */
  indexedDb?: unknown;
  /** 5.x. */
  oldSchemas?: unknown[];
  rebaseTimeout?: number;
}

export type MigrationProcedure = (tools: {
  migrate(
    collection: string,
    strategy: (old: Record<string, unknown>) => Record<string, unknown>,
  ): Promise<void>;
}) => Promise<void>;

/** What a bundle sets as `window.Verdant`. */
export interface Verdant {
  schema: SchemaBuilder;
  createMigration(schema: unknown): unknown;
  createMigration(oldSchema: unknown, schema: unknown, procedure: MigrationProcedure): unknown;
  /** 3.x: databases are opened by the descriptor. */
  ClientDescriptor: new (
    options: ClientOptions,
  ) => { open(): Promise<VerdantClient> };
  /** 5.x: the client itself. */
  Client: new (
    options: ClientOptions,
  ) => VerdantClient;
  authorization: { private: string; public: undefined };
  cliSync(libraryId: string, options?: { port?: number; initialPresence?: unknown }): SyncOptions;
}

/** Runs the published bundle of a generation as a classic script in `browser`. */
export function loadVerdant(generation: Generation, browser: Browser): Verdant {
  // A bundler would have replaced these; a browser has neither, and without them no code path for Node is taken.
  const globals = { ...browser.globals, process: undefined, require: undefined };
  const { source, filename } = readBundle(generation);
  const run = compileFunction(source, Object.keys(globals), { filename }) as (...values: unknown[]) => void;
  run(...Object.values(globals));
  return browser.window.Verdant as Verdant;
}

const bundles = new Map<Generation, { source: string; filename: string }>();

/** The published bundle of a generation: a classic script that sets `window.Verdant`. */
export function readBundle(generation: Generation) {
  let bundle = bundles.get(generation);
  if (!bundle) {
    // Not by resolution: the packages export their modules only, and of 5.5.0 the modules cannot be loaded.
    const url = new URL(`../../node_modules/${packages[generation]}/dist/bundle/index.js`, import.meta.url);
    const filename = fileURLToPath(url);
    bundle = { source: readFileSync(filename, 'utf8'), filename };
    bundles.set(generation, bundle);
  }
  return bundle;
}
