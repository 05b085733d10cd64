import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { canonical } from '../canonical.js';
import { createChromiumDevice } from '../chromium/device.js';
import type { Board } from '../clients/boards.js';
import { toBoard } from '../clients/boards.js';
import { type Generation, generations } from '../clients/bundle.js';
import type { TestDevice } from '../clients/device.js';
import type { DriverOptions } from '../clients/driver.js';
import { type Item, toItem } from '../clients/items.js';
import { createNodeDevice } from '../clients/node-device.js';
import type { TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import { authUrl } from '../world.js';
import type { Combination } from './axes.js';
import type { ServerTarget, TargetOptions } from './server-target.js';
import { startTarget } from './start-target.js';
import { transportsSettled } from './transports-settled.js';

export interface OpenInWorld extends Partial<Omit<DriverOptions, 'authEndpoint'>> {
  /** Default: the world's own. */
  library?: string;
  /** `type` of the token. */
  replicaType?: number;
  /** Another tab of that client's device, and so the same replica. */
  besides?: TestClient;
  /** Begin to sync at once. Default: true. */
  online?: boolean;
}

/** One server, one library, and whoever opens it. */
export interface World extends Combination {
  readonly target: ServerTarget;
  /** What the server's operator knows of the library, and may do to it. */
  readonly server: ReturnType<ServerTarget['library']>;
  readonly library: string;
  /** Opens a client on a device of its own, with the world's generation and transport unless told otherwise. */
  open(userId: string, options?: OpenInWorld): Promise<TestClient>;
  /** The same device in a new tab, where the client was closed before. */
  reopen(client: TestClient, options?: OpenInWorld): Promise<TestClient>;
  /** Everyone, and the server, comes to hold the same documents; resolves with the items among them. */
  converged(clients: TestClient[], condition?: (items: Item[], boards: Board[]) => unknown): Promise<Item[]>;
}

export interface WorldOptions extends Partial<Combination> {
  server?: TargetOptions;
  resets?: 'due';
  alike?: 'user';
}

let worlds = 0;

/** Runs a scenario in a world of its own, which ends with it. */
export async function inWorld(
  options: WorldOptions,
  scenario: (world: World) => Promise<void>,
): Promise<void> {
  const { generation = '5', transport = 'socket', runtime = 'node', storage = 'sharded' } = options;
  const target = await startTarget({ ...options.server, storage });
  const library = `library-${++worlds}`;
  const createDevice = runtime === 'node' ? createNodeDevice : createChromiumDevice;
  const devices: TestDevice[] = [];
  const opened: Opened[] = [];
  let turns = 0;
  let ended = false;

  /** Wraps what changes who is there, on which clients on the automatic transport change theirs. */
  const watched = (client: TestClient): TestClient => {
    for (const change of ['start', 'stop', 'goOffline', 'goOnline', 'close', 'kill'] as const) {
      const plain = client[change];
      client[change] = async () => {
        await plain();
        if (!ended) await transportsSettled(target, opened);
      };
    }
    return client;
  };
  // One after the other: clients that are made in the same millisecond may have clocks of the same name, and then one of two
  // changes of the very same time is lost to the others (docs/compatibility.md).
  let lastOpened: Promise<unknown> = Promise.resolve();
  const openOn = async (
    device: TestDevice,
    userId: string,
    turn: Generation,
    more: Omit<OpenInWorld, 'besides'>,
  ) => {
    const { library: other, replicaType, online = true, ...driverOptions } = more;
    const itsLibrary = other ?? library;
    const opening = lastOpened.then(() =>
      device.open({
        generation: turn,
        transport,
        ...driverOptions,
        authEndpoint: authUrl(device.base, itsLibrary, userId, replicaType),
        userId,
      }),
    );
    lastOpened = opening.catch(() => {});
    const plain = await opening;
    const client = watched(plain);
    opened.push({ client, device, library: itsLibrary, options: driverOptions });
    if (online) await client.start();
    return client;
  };
  const openedAs = (client: TestClient) => opened.find((one) => one.client === client)!;

  const world: World = {
    generation,
    transport,
    runtime,
    storage,
    target,
    library,
    get server() {
      return target.library(library);
    },
    open: async (userId, { besides, ...more } = {}) => {
      if (besides) return openOn(openedAs(besides).device, userId, besides.generation, more);
      const device = await createDevice(target.base);
      devices.push(device);
      return openOn(device, userId, generationOfTurn(generation, turns++), more);
    },
    reopen: (client, more) => {
      const { device, options: before } = openedAs(client);
      return openOn(device, client.userId, client.generation, { ...before, ...more });
    },
    converged: async (everyone, condition = () => true) => {
      const { items, boards } = await sameDocuments(everyone, condition);
      await expectServerHolds(target, openedAs(everyone[0]!).library, { items, boards });
      return items;
    },
  };

  try {
    await scenario(world);
    ended = true;
    await expectGoodEnd(world, opened, options);
    expect(target.errors, 'what the server logged as errors').toEqual([]);
    expect(
      devices.flatMap(({ errors }) => errors),
      'what went wrong in pages',
    ).toEqual([]);
  } catch (error) {
    throw await withDescriptions(error, opened);
  } finally {
    for (const device of devices) await device.end();
    await target.stop();
  }
}

interface Opened {
  client: TestClient;
  device: TestDevice;
  library: string;
  options: Partial<DriverOptions>;
}

/** Why a scenario failed is rarely to be seen from the client that it waited for alone. */
async function withDescriptions(error: unknown, opened: Opened[]): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const wires = process.env.MATRIX_WIRES;
  if (wires) error.message += `\n\nThe wires are in ${await keepWires(wires, opened)}`;
  for (const { client } of opened.filter(({ client }) => !client.closed)) {
    error.message += `\n\n${await client.describe().catch((failure: unknown) => `${client.name}: ${failure}`)}`;
  }
  return error;
}

/** All that was said, client by client. Returns the file. */
async function keepWires(folder: string, opened: Opened[]): Promise<string> {
  const wires: Record<string, unknown> = {};
  for (const [index, { client }] of opened.entries())
    wires[`${index} ${client.name}`] = await client.traffic().then(
      ({ entries }) => entries,
      (failure: unknown) => String(failure),
    );
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${randomUUID()}.json`);
  await writeFile(file, JSON.stringify(wires));
  return file;
}

function generationOfTurn(generation: Combination['generation'], turn: number): Generation {
  if (generation === 'mixed') return generations[turn % 2]!;
  return generation === '3' ? '3.6.3' : '5.5.0';
}

/** What has to hold at the end of every scenario, for whoever still syncs. */
async function expectGoodEnd(world: World, opened: Opened[], options: WorldOptions): Promise<void> {
  const syncing = opened.filter(({ client }) => client.syncing);
  const groups = new Map<string, TestClient[]>();
  for (const { client, library } of syncing) {
    const group = options.alike === 'user' ? `${library} ${client.userId}` : library;
    groups.set(group, [...(groups.get(group) ?? []), client]);
  }
  for (const group of groups.values()) await world.converged(group);
  if (options.resets !== 'due') {
    for (const { client } of opened) expect(await unexpectedResets(client), client.name).toEqual([]);
  }
  for (const one of syncing) await expectStoredAsShown(one);
}

/** A device that has never synced, or is asked for its whole history, is reset to what there is. All others keep what they have. */
async function unexpectedResets(client: TestClient): Promise<unknown[]> {
  const { entries } = await client.traffic();
  const sinceOf = new Map(
    entries
      .filter(({ direction, message }) => direction === 'sent' && message.type === 'sync')
      .map(({ message }) => [message.timestamp!, message.since ?? '']),
  );
  const unexpected: string[] = [];
  let lastDue = '';
  for (const { direction, message } of entries) {
    if (direction === 'sent' || !message.overwriteLocalData) continue;
    const since = sinceOf.get(message.ackedTimestamp!)!;
    // One that was sent before the client had applied the last one is answered as that was.
    if (since === '' || since < lastDue) lastDue = message.ackedTimestamp!;
    else unexpected.push(`reset at ${message.ackedTimestamp} of a sync since ${since}`);
  }
  return unexpected;
}

interface Documents {
  items: Item[];
  boards: Board[];
}

const documentsOf = async (client: TestClient): Promise<Documents> => {
  const [items, boards] = await Promise.all([client.list(), client.boards()]);
  return { items, boards };
};

/** Waits until all clients hold the same documents, and these satisfy `condition`. */
async function sameDocuments(
  clients: TestClient[],
  condition: (items: Item[], boards: Board[]) => unknown,
  deadline = 120_000,
): Promise<Documents> {
  return waitFor(
    async () => {
      const [first, ...others] = await Promise.all(clients.map(documentsOf));
      await Promise.all(clients.map((client) => client.returnIfSlow()));
      if (!first || !condition(first.items, first.boards)) return undefined;
      const calm = await Promise.all(clients.map((client) => !client.syncing || client.calm()));
      if (calm.includes(false)) return undefined;
      const text = JSON.stringify(canonical(first));
      return others.every((documents) => JSON.stringify(canonical(documents)) === text) ? first : undefined;
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
async function expectStoredAsShown({ client, device, options }: Opened): Promise<void> {
  await client.stop();
  let shown = '';
  let unchanged = 0;
  // What was on its way when it was stopped is applied all the same.
  await waitFor(async () => {
    const before = shown;
    shown = JSON.stringify(canonical(await documentsOf(client)));
    unchanged = shown === before ? unchanged + 1 : 0;
    return unchanged === 3;
  });
  await client.close();
  const { userId, generation, transport } = client;
  // It has to have one, and asks nobody.
  const nowhere = { authEndpoint: 'http://127.0.0.1:1' };
  const next = await device.open({ ...options, ...nowhere, userId, generation, transport });
  const stored = canonical(await documentsOf(next));
  await next.kill();
  expect(stored, `what ${client.name} has stored is not what it showed`).toEqual(JSON.parse(shown));
}

/** A server may be a moment behind a client that has just written. */
async function expectServerHolds(target: ServerTarget, library: string, held: Documents): Promise<void> {
  const collections = [
    ['items', toItem],
    ['boards', toBoard],
  ] as const;
  let seen: unknown;
  const read = async () => {
    const handle = target.library(library);
    const documents = collections.map(async ([collection, shape]) => {
      const snapshots = held[collection].map(({ id }) => handle.getDocumentSnapshot(collection, id));
      const found = await Promise.all(snapshots);
      return [collection, found.map((one) => one && shape(one as Record<string, unknown>))];
    });
    seen = Object.fromEntries(await Promise.all(documents));
    return JSON.stringify(canonical(seen)) === JSON.stringify(canonical(held));
  };
  await waitFor(read, {
    deadline: 20_000,
    describe: () => `clients hold ${JSON.stringify(held)}\nthe server holds ${JSON.stringify(seen)}`,
  });
}
