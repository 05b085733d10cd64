import {
  emptyHead,
  type Head,
  type LibraryChange,
  type LibraryStorage,
  type OperationKey,
} from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  access,
  at,
  authz,
  baseline,
  file,
  head,
  keyOf,
  oid,
  operation,
  replica,
  replicaId,
} from './rows.js';

/** The libraries that a killed writer writes at the same time, so that a backend which commits them together is seen to. */
export const WRITTEN_LIBRARIES = ['left', 'right'] as LibraryId[];

/** Each epoch: this many commits but one, then an eviction. */
const EPOCH_STEPS = 25;
/** Operations of a commit stay in the log for so many more. */
const KEPT_COMMITS = 3;
/** The largest value, in UTF-16 units: more than a page of any file system or database. */
const LARGE_VALUE = 20_000;

/**
 * The history of a written library, as numbered steps that are the same each time they are computed: a library that
 * was killed half-way must look as after one of them, whole.
 */
function headAfter(step: number): Head {
  const epoch = Math.floor(step / EPOCH_STEPS);
  const version = step % EPOCH_STEPS;
  if (version === 0) return step === 0 ? emptyHead : head({ epoch, version });
  const order = ordersThrough(version);
  const foldedThrough = ordersThrough(version - (isPlain(version) ? 1 : 0) - KEPT_COMMITS);
  return head({
    epoch,
    version,
    founded: true,
    order,
    foldedThrough,
    announcedAck: at(foldedThrough),
    latest: at(order),
    operations: order - foldedThrough,
    baselines: Math.min(version, 3),
  });
}

/** Whether the commit brings what an author has written, and nothing else, as most do. Not two in a row, nor two of one author. */
const isPlain = (version: number): boolean => version > 3 && version % 4 === 2;

/** Which step this head stands after. */
export const stepOf = ({ epoch, version }: Head): number => epoch * EPOCH_STEPS + version;

/** Takes the step: a commit of rows of every kind, or an eviction and its reclaiming. Resolves when it is acknowledged. */
export async function take(library: LibraryStorage, step: number): Promise<void> {
  if (step % EPOCH_STEPS === 0) {
    await library.evict(headAfter(step));
    while (await library.reclaim(1));
    return;
  }
  const result = await library.commit(await staged(library, changeOf(step)));
  if (!result.ok) throw new Error(`Step ${step} met a conflict, and nobody else writes here`);
}

/** The content of an epoch's first commit is staged, and adopted by it. */
async function staged(library: LibraryStorage, change: LibraryChange): Promise<LibraryChange> {
  if (change.expect.version > 0) return change;
  const { operations = [], baselines = [], access = [], ...rest } = change;
  async function* pages() {
    yield { operations, access };
    yield { baselines };
  }
  return { ...rest, adopt: await library.stage(pages()) };
}

/** The key of every operation of the epoch, up to this step. */
export function keysThrough(step: number): OperationKey[] {
  const { version } = headAfter(step);
  return Array.from({ length: version }, (_, index) => changeOf(step - version + 1 + index)).flatMap(
    (change) => (change.operations ?? []).map(keyOf),
  );
}

function changeOf(step: number): LibraryChange {
  const { epoch, version } = headAfter(step);
  const before = headAfter(step - 1);
  const now = headAfter(step);
  const author = replicaId(`r${version % 3}`);
  const object = version % 3;
  const lastSeen = isPlain(version) ? step - 3 : step;
  const written = {
    expect: { epoch, version: before.version },
    head: now,
    operations: between(before.order, now.order).map((order) =>
      operation(order, { replicaId: author, oid: oid(`items/${order % 5}`), data: textOf(step, order) }),
    ),
    replicas: [
      replica(author, {
        ackedOrder: now.order,
        ackedTime: at(now.order),
        writtenThrough: at(now.order),
        lastSeen,
      }),
    ],
  };
  if (isPlain(version)) return written;
  return {
    ...written,
    fold: between(before.foldedThrough, now.foldedThrough),
    dropKeys: [{ replicaId: author, through: at(now.foldedThrough - 5) }],
    removeBaselines: version > 3 ? [oid(`items/${object}`)] : [],
    baselines: [baseline(`items/${object}`, { snapshot: textOf(step, step), timestamp: at(version) })],
    access: [access(`items/${object}`, { authz: authz(`${step}`) })],
    files: [file(`file-${step}`)],
    removeFiles: version > 5 ? [`file-${step - 5}`] : [],
    markFiles: version > 2 ? [{ ids: [`file-${step - 1}`], pendingDeleteAt: step }] : [],
  };
}

/** How many server orders the first `commits` commits of an epoch have given out: 1, then 2, … up to 7 each, and again. */
function ordersThrough(commits: number): number {
  let orders = 0;
  for (let commit = 1; commit <= commits; commit++) orders += 1 + (commit % 7);
  return orders;
}

const between = (after: number, through: number): number[] =>
  Array.from({ length: through - after }, (_, index) => after + 1 + index);

const textOf = (step: number, size: number): string =>
  JSON.stringify({ step, text: 'x'.repeat((size * 977) % LARGE_VALUE) });
