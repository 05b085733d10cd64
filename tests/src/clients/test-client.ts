import { waitFor } from '../until.js';
import { type Board, type BoardInit, toBoard } from './boards.js';
import type { Generation, LocalReplica, UserInfo } from './bundle.js';
import type { Driver, Edit, Snapshot, Transport } from './driver.js';
import { type Item, type ItemChanges, type ItemInit, toItem } from './items.js';
import type { WireEntry } from './wire-log.js';

export interface File {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Whose client it is, and which. */
export interface Identity {
  userId: string;
  generation: Generation;
  transport: Transport;
}

/** The tab of a client as seen from outside, in whatever runtime. */
export interface Page {
  readonly driver: Driver;
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  /** The tab dies with whatever it was doing. */
  destroy(): Promise<void>;
}

/** A client of either generation, in either runtime. */
export interface TestClient extends Identity {
  readonly name: string;
  /** Its tab is closed or dead. */
  readonly closed: boolean;
  /** It was started, and not stopped. */
  readonly syncing: boolean;
  /** It syncs, and has a network. */
  readonly online: boolean;
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
  /** All edits are one step of undo. */
  edit(id: string, ...edits: Edit[]): Promise<void>;
  undo(): Promise<boolean>;
  redo(): Promise<boolean>;
  putBoard(id: string, init?: BoardInit): Promise<void>;
  editBoard(id: string, ...edits: Edit[]): Promise<void>;
  deleteBoard(id: string): Promise<void>;
  get(id: string): Promise<Item | null>;
  /** All items, sorted by id. */
  list(): Promise<Item[]>;
  /** All boards, sorted by id. */
  boards(): Promise<Board[]>;
  /** All items with every field that the client shows, also those of a later schema. */
  rawItems(): Promise<Snapshot[]>;
  /** The item's image once this client has loaded it, null before. */
  image(id: string): Promise<File | null>;
  setPresence(presence: Record<string, unknown>): Promise<void>;
  /** 5.x. */
  setPlace: Driver['setPlace'];
  /** 5.x. */
  peersAt: Driver['peersAt'];
  peers(): Promise<Record<string, UserInfo>>;
  replica(): Promise<LocalReplica>;
  state: Driver['state'];
  setMode: Driver['setMode'];
  /** Everything that was sent and received until the tab was closed, and HTTP statuses of what was refused: 0 for a socket of which a page hears no more. */
  traffic(): Promise<{ entries: WireEntry[]; refusals: number[]; sockets: number }>;
  /** Begin to sync, and wait until the first answer is applied. */
  start(): Promise<void>;
  /** Begin to sync, without waiting for an answer that may not come. */
  beginSync(): Promise<void>;
  /** Wait until an answer to a sync that was not sent yet is applied; over a socket that takes a reconnect. */
  nextSync(): Promise<void>;
  /** Stop syncing in an orderly way, as an app does that logs its user out. */
  stop(): Promise<void>;
  calm: Driver['calm'];
  /**
   * A poll that takes over three seconds is a client's last until its user comes back to the tab: as one does who waits
   * for something. Not where the server has refused anything: then it is the server that ended it.
   */
  returnIfSlow(): Promise<void>;
  /** Lose the network. The client notices it as a browser does. */
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  /** Close the client and its tab; the device stays. */
  close(): Promise<void>;
  /** The tab dies with whatever it was doing. */
  kill(): Promise<void>;
  waitUntil(condition: (items: Item[]) => unknown, deadline?: number): Promise<void>;
  describe(): Promise<string>;
}

/** Two polls apart: a client that sends none for so long has stopped. */
const STOPPED_MS = 400;

/** Longer than from one poll to the answer to the next, where the client polls as rarely as it does by default. */
const LAST_POLL_MS = 20_000;

/** Starting takes a token, a socket and an answer, on a machine that does a dozen other things. */
const DEADLINE_MS = 40_000;

export function createTestClient(identity: Identity, { driver, ...page }: Page): TestClient {
  const name = `${identity.userId} (${identity.generation}, ${identity.transport})`;
  const list = async () => (await driver.documents('items')).map(toItem);
  const describe = async () => {
    const [held, state, calm, wire] = await Promise.all([
      driver.documents('items').catch((error: unknown) => String(error)),
      driver.state(),
      driver.calm(),
      driver.wire(),
    ]);
    return `${name} holds ${JSON.stringify(held)}\n  ${JSON.stringify(state)}, calm: ${calm}, refused: ${wire.refusals}; last messages:\n${wire.summary}`;
  };
  const edit = (id: string, ...edits: Edit[]) => driver.change('items', id, edits);
  const traffic = () => driver.wire();
  const returnIfSlow = async () => {
    if (!syncing || closed) return;
    const { mode, status } = await driver.state();
    if (mode === 'realtime' || (status === 'active' && !(await hasStopped()))) return;
    if ((await traffic()).refusals.length === 0) await driver.focus();
  };
  /** 5.5.0 stays active, and takes itself for connected once anything else that it sends is answered. */
  const hasStopped = async () => {
    const answers = await driver.answers();
    if (answers !== polled.answers) polled = { answers, at: Date.now() };
    if (Date.now() - polled.at < LAST_POLL_MS) return false;
    polled.at = Date.now();
    return true;
  };
  const wakeful = async <T>(condition: () => Promise<T>): Promise<T> => {
    const value = await condition();
    if (!value) await returnIfSlow();
    return value;
  };
  let polled = { answers: 0, at: Date.now() };
  let closed = false;
  let syncing = false;
  let online = true;
  let last: Awaited<ReturnType<typeof traffic>> = { entries: [], refusals: [], sockets: 0, summary: '' };

  return {
    ...identity,
    name,
    get closed() {
      return closed;
    },
    get online() {
      return online && syncing && !closed;
    },
    get syncing() {
      return syncing && !closed;
    },
    put: (id, init = {}) => driver.put('items', { id, ...init }, {}),
    putPrivate: (id, init = {}) => driver.put('items', { id, ...init }, { private: true }),
    update: (id, changes) => edit(id, { call: 'update', args: [{ ...changes }] }),
    addTag: (id, tag) => edit(id, { path: ['tags'], call: 'push', args: [tag] }),
    removeTag: (id, tag) => edit(id, { path: ['tags'], call: 'removeAll', args: [tag] }),
    setLabel: (id, key, value) => edit(id, { path: ['labels'], call: 'set', args: [key, value] }),
    attachImage: (id, { name, type, bytes }) =>
      driver.attach(id, { name, type, base64: Buffer.from(bytes).toString('base64') }),
    detachImage: (id) => edit(id, { call: 'set', args: ['image', null] }),
    delete: (id) => driver.delete('items', id),
    edit,
    undo: () => driver.undo(),
    redo: () => driver.redo(),
    putBoard: (id, init = {}) => driver.put('boards', { id, ...init }, {}),
    editBoard: (id, ...edits) => driver.change('boards', id, edits),
    deleteBoard: (id) => driver.delete('boards', id),
    get: async (id) => (await list()).find((item) => item.id === id) ?? null,
    list,
    boards: async () => (await driver.documents('boards')).map(toBoard),
    rawItems: () => driver.documents('items'),
    image: async (id) => {
      const file = await driver.image(id);
      return file && { ...file, bytes: new Uint8Array(Buffer.from(file.base64, 'base64')) };
    },
    setPresence: (presence) => driver.setPresence(presence),
    setPlace: (place) => driver.setPlace(place),
    peersAt: (place) => driver.peersAt(place),
    peers: () => driver.peers(),
    replica: () => driver.replica(),
    state: () => driver.state(),
    setMode: (mode) => driver.setMode(mode),
    traffic: async () => (closed ? last : traffic()),
    start: async () => {
      syncing = true;
      const before = await driver.answers();
      await driver.start();
      await waitFor(() => wakeful(() => driver.applied(before)), { deadline: DEADLINE_MS, describe });
    },
    beginSync: () => {
      syncing = true;
      return driver.start();
    },
    nextSync: async () => {
      // The answer after the next: the next may belong to a sync that is on its way.
      const second = (await driver.answers()) + 1;
      await waitFor(() => wakeful(() => driver.applied(second)), { deadline: DEADLINE_MS, describe });
    },
    stop: async () => {
      syncing = false;
      let sent = -1;
      let stops = 0;
      let quietSince = 0;
      await waitFor(
        async () => {
          const now = await driver.requests();
          // What is written while a last poll is put together may be dated before that one without being in it.
          if (now.underWay > 0) return false;
          if (now.sent !== sent) {
            sent = now.sent;
            quietSince = Date.now();
            // 3.x goes on polling where it is stopped amid a poll.
            await driver.stop();
            // And where it has changed to a socket amid one: then only the poller that it no longer uses can be stopped.
            if (++stops > 3 && (await driver.state()).mode === 'realtime') await driver.setMode('pull');
          }
          return Date.now() - quietSince > STOPPED_MS;
        },
        { deadline: DEADLINE_MS, describe },
      );
    },
    calm: () => driver.calm(),
    returnIfSlow,
    goOffline: async () => {
      online = false;
      await page.goOffline();
    },
    goOnline: async () => {
      online = true;
      await page.goOnline();
    },
    close: async () => {
      last = await traffic();
      closed = true;
      await driver.close();
      await page.destroy();
    },
    kill: async () => {
      closed = true;
      await page.destroy();
    },
    waitUntil: async (condition, deadline = DEADLINE_MS) => {
      await waitFor(() => wakeful(async () => condition(await list())), { deadline, describe });
    },
    describe,
  };
}
