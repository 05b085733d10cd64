import type { Oid, Patch, PlainObject } from '@verdant-web/protocol';
import { idOf, type ObjectState, patched } from '../../simulation/objects.js';
import type { WireEntry, WireMessage } from '../clients/wire-log.js';

export interface Operation {
  oid: Oid;
  timestamp: string;
  data: Patch;
}

export interface Baseline {
  oid: Oid;
  timestamp: string;
  snapshot: PlainObject;
}

/** Everything that a replica may be told of a library at once. */
export interface Content {
  baselines: readonly Baseline[];
  operations: readonly Operation[];
}

type Operations = Map<string, Operation>;

/** What one client was promised, and told, since the library began the life that it has: by its wire alone. */
export interface Account {
  /** Operations of its own that the server has said to hold. */
  acknowledged: Operations;
  /** Operations of others, and its own that came back. */
  shown: Operations;
  /** What it founded the library with; undefined: it did not. */
  founding: Content | undefined;
  /** The first reset that it was sent. */
  reset: Content | undefined;
  resets: number;
  /** What it has to hold: its last reset, or what it founded, and all that it was told or has written since. */
  has: { baselines: readonly Baseline[]; operations: Operations };
}

/**
 * Reads a client's wire. What came before entry `from` is of a life of the library that an eviction has ended, and so is
 * what comes until the client is taken in anew: that is by a reset, or by founding.
 */
export function readWire(entries: readonly WireEntry[], from: number): Account {
  const account: Account = {
    acknowledged: new Map(),
    shown: new Map(),
    founding: undefined,
    reset: undefined,
    resets: 0,
    has: { baselines: [], operations: new Map() },
  };
  const sent = new Map<string, { message: WireMessage; index: number }>();
  let belongs = from === 0;
  let lastReset = -1;
  const acknowledge = (timestamp: string | undefined) => {
    const found = sent.get(timestamp ?? '');
    if (!found) return;
    remember(account.acknowledged, found.message);
    // A reset wipes what was written before it: that has to come back.
    if (found.index > lastReset) remember(account.has.operations, found.message);
  };
  entries.forEach(({ direction, message }, index) => {
    if (direction === 'sent') {
      if (message.timestamp) sent.set(message.timestamp, { message, index });
      return;
    }
    if (index < from) return;
    if (message.type === 'sync-resp') {
      const sync = sent.get(message.ackedTimestamp ?? '')?.message;
      const founds = !message.overwriteLocalData && sync?.since === null && !isEmpty(contentOf(sync));
      belongs ||= founds || message.overwriteLocalData === true;
      if (!belongs) return;
      if (founds) {
        account.founding = contentOf(sync);
        account.has.baselines = account.founding.baselines;
      }
      if (message.overwriteLocalData) {
        account.reset ??= contentOf(message);
        account.resets++;
        account.has = { baselines: contentOf(message).baselines, operations: new Map() };
        lastReset = index;
      } else acknowledge(message.ackedTimestamp);
      remember(account.shown, message);
      remember(account.has.operations, message);
    } else if (belongs && message.type === 'server-ack') {
      acknowledge(message.timestamp);
    } else if (belongs && message.type === 'op-re') {
      remember(account.shown, message);
      remember(account.has.operations, message);
    }
  });
  return account;
}

/** What the server must hold, as far as clients can know it: what it was founded with, and all that came after. */
export function promisedBy(accounts: readonly Account[]): Content & { acknowledged: number } {
  const foundings = accounts.map(({ founding }) => founding).filter((founding) => founding !== undefined);
  // Where the answer to the founding was lost, nothing was promised before somebody was shown it.
  const base = foundings.at(-1) ?? accounts.find(({ reset }) => reset)?.reset;
  if (!base) throw new Error('The library was founded by nobody.');
  const operations: Operations = new Map(base.operations.map((operation) => [idOf(operation), operation]));
  const acknowledged = new Set<string>();
  for (const account of accounts) {
    for (const id of account.acknowledged.keys()) acknowledged.add(id);
    for (const known of [account.acknowledged, account.shown]) {
      for (const [id, operation] of known) operations.set(id, operation);
    }
  }
  return { baselines: base.baselines, operations: [...operations.values()], acknowledged: acknowledged.size };
}

/** The objects that all this makes, as npm's `@verdant-web/common` applies it. */
export function objectsOf({ baselines, operations }: Content): Map<Oid, PlainObject> {
  const objects = new Map<Oid, ObjectState>();
  const dates = new Map<Oid, string>();
  for (const { oid, timestamp, snapshot } of baselines) {
    objects.set(oid, structuredClone(snapshot));
    dates.set(oid, timestamp);
  }
  for (const { oid, timestamp, data } of [...operations].sort(byTimestamp)) {
    if (timestamp <= (dates.get(oid) ?? '')) continue;
    objects.set(oid, patched(objects.get(oid), structuredClone(data)));
  }
  const present = new Map<Oid, PlainObject>();
  for (const [oid, state] of objects) if (state !== undefined) present.set(oid, state);
  return present;
}

const byTimestamp = (a: Operation, b: Operation) => (a.timestamp < b.timestamp ? -1 : 1);

const isEmpty = ({ baselines, operations }: Content) => baselines.length + operations.length === 0;

function contentOf(message: WireMessage): Content {
  const { baselines = [], operations = [] } = message as unknown as Partial<Content>;
  return { baselines, operations };
}

function remember(into: Operations, message: WireMessage): void {
  for (const operation of contentOf(message).operations) into.set(idOf(operation), operation);
}
