import {
  type AuthzKey,
  type Baseline,
  baselinesIn,
  type ContentInText,
  type CutJson,
  cutJson,
  type Oid,
  type Operation,
  operationsIn,
  type SyncMessage,
  type Timestamp,
  VerdantError,
} from '@verdant-web/protocol';
import type { Limits } from '../limits.js';
import type { BaselineRow, OperationRow } from '../storage/rows.js';
import type { StagedRows, StageId } from '../storage/storage.js';
import { announce } from './access.js';
import { type Admission, Admitter, clockRefusal, contentKeyOf, foundedBy } from './admission.js';
import type { DecideContext } from './decide.js';
import { founderOf } from './decide-sync.js';
import { Draft } from './draft.js';
import { gatherFacts } from './facts.js';
import type { Inbound } from './inbound.js';
import { laterOf } from './later-of.js';
import type { LiveLibrary } from './live-library.js';
import { readMessage } from './read-message.js';
import { ManySeenKeys } from './seen-keys.js';
import type { LongText, Unit } from './unit.js';

/** What a long message brings to a library that holds nothing: admitted, and staged in the storage. */
export interface StagedContent extends Omit<Admission, 'operations' | 'baselines' | 'access'> {
  readonly stage: StageId;
  /** How many. */
  readonly operations: number;
  readonly baselines: number;
  /** How many of the baselines everybody may see. */
  readonly publicBaselines: number;
  /** The timestamp of the last operation of all, and of the last one that everybody may see. */
  readonly last: Timestamp | null;
  readonly lastPublic: Timestamp | null;
  /** The latest of all their timestamps. */
  readonly latest: Timestamp | null;
}

/**
 * Read a long unit that founds the library, a piece at a time, and stage what it brings, so that it never is in memory as
 * values, and others have their turn meanwhile. Null: it founds nothing, and is read as a whole like any other.
 */
export async function stageFounding(
  library: LiveLibrary,
  unit: Unit,
  long: LongText,
  context: DecideContext,
): Promise<Inbound[] | null> {
  const outline = await readOutline(library, unit, long);
  if (outline === null) return null;
  const { inbound, at, sync, content } = outline;
  const { connection } = unit;
  const draft = new Draft(library.state, await gatherFacts(library.storage, library.state, inbound));
  const replica = founderOf(draft, context, connection, sync);
  if (replica === null) return null;

  try {
    const { caller } = connection;
    const reader = new ContentReader(content, library);
    // Nested objects come before the root that says whose they are: where anything is private, that is read first.
    const announced = new Map<Oid, AuthzKey>();
    const grantsAccess = long.text.includes('"authz"');
    if (grantsAccess) {
      await reader.each((operation) => announce(announced, operation, caller));
    }
    const { maxValueBytes } = context;
    const seen = new ManySeenKeys(() => keysOf(reader.operations()));
    const admitter = new Admitter({ draft, caller, replica, announced, grantsAccess, seen, maxValueBytes });
    const stager = new Stager(admitter, reader, context.now + context.maxClockDrift);
    const stage = await library.storage.stage(stager.pages());
    inbound[at] = { connection, message: sync, error: null, staged: stager.staged(stage) };
  } catch (error) {
    if (!(error instanceof VerdantError)) throw error;
    inbound[at] = { connection, message: null, error };
  }
  return inbound;
}

function* keysOf(operations: Iterable<Operation>): Generator<string> {
  for (const operation of operations) yield contentKeyOf(operation);
}

/** A unit of which the long lists are left in the text. */
interface Outline {
  inbound: Inbound[];
  /** Where the one message is that brings something. */
  at: number;
  sync: SyncMessage;
  content: ContentInText;
}

/** Null: it is malformed, or not a single sync that brings something; reading it as a whole shows which. */
async function readOutline(library: LiveLibrary, unit: Unit, long: LongText): Promise<Outline | null> {
  const { limits } = library.services.settings;
  try {
    const reading = cutJson(long.text, long.place, limits.maxValueDepth + 10);
    let step = reading.next();
    while (!step.done) {
      await library.services.workToFound.next();
      step = reading.next();
    }
    return outlineOf(step.value, unit, long, limits);
  } catch (error) {
    if (error instanceof VerdantError) return null;
    throw error;
  }
}

function outlineOf(cut: CutJson, { connection }: Unit, { place }: LongText, limits: Limits): Outline | null {
  const values = place === 'message' ? [cut.value] : (cut.value as { messages?: unknown } | null)?.messages;
  const content = [...cut.content].filter(([, lists]) => lengthOf(lists) > 0);
  const [only] = content;
  if (!Array.isArray(values) || !only || content.length > 1) return null;
  const inbound: Inbound[] = [];
  let at = -1;
  for (const [index, value] of values.entries()) {
    const read = readMessage(connection, value, limits);
    if (index === only[0]) at = inbound.length;
    if (read) inbound.push(read);
  }
  const writing = inbound.filter(({ message }) => message?.type === 'sync' || message?.type === 'op');
  const sync = inbound[at]?.message;
  if (writing.length !== 1 || sync?.type !== 'sync') return null;
  // A list under a name that is written in another way was not left in the text.
  if (sync.operations.length + sync.baselines.length > 0) return null;
  return { inbound, at, sync, content: only[1] };
}

const lengthOf = ({ operations, baselines }: ContentInText): number =>
  (operations?.length ?? 0) + (baselines?.length ?? 0);

/** So many items are read before others have a turn. */
const ITEMS_PER_TURN = 400;

/** Reads what a message brings from its text. */
class ContentReader {
  readonly #content: ContentInText;
  readonly #library: LiveLibrary;

  constructor(content: ContentInText, library: LiveLibrary) {
    this.#content = content;
    this.#library = library;
  }

  *baselines(): Generator<Baseline> {
    const { baselines } = this.#content;
    if (baselines) yield* baselinesIn(baselines, this.#limits);
  }

  *operations(): Generator<Operation> {
    const { operations } = this.#content;
    if (operations) yield* operationsIn(operations, this.#limits);
  }

  /** Calls `visit` with each operation, those included that would create what the baselines hold. */
  async each(visit: (operation: Operation) => void): Promise<void> {
    let read = 0;
    for (const operations of [foundedBy(this.baselines()), this.operations()]) {
      for (const operation of operations) {
        visit(operation);
        if (++read % ITEMS_PER_TURN === 0) await this.pause();
      }
    }
  }

  pause(): Promise<void> {
    return this.#library.services.workToFound.next();
  }

  get #limits(): Limits {
    return this.#library.services.settings.limits;
  }
}

/** A page has as much text as this at most, in UTF-16 units, or one row that is larger. */
const PAGE_TEXT = 256 * 1024;

/** Admits what a message brings, in pages that are committed one by one. */
class Stager {
  readonly #admitter: Admitter;
  readonly #reader: ContentReader;
  readonly #latestMs: number;
  #operations = 0;
  #baselines = 0;
  #publicBaselines = 0;
  #last: Timestamp | null = null;
  #lastPublic: Timestamp | null = null;
  #latest: Timestamp | null = null;

  constructor(admitter: Admitter, reader: ContentReader, latestMs: number) {
    this.#admitter = admitter;
    this.#reader = reader;
    this.#latestMs = latestMs;
  }

  async *pages(): AsyncGenerator<StagedRows> {
    for await (const baselines of this.#paged(this.#baselineRows())) yield { baselines };
    for await (const operations of this.#paged(this.#operationRows())) yield { operations };
    const { access } = this.#admitter.summary;
    for (let from = 0; from < access.length; from += ITEMS_PER_TURN) {
      yield { access: access.slice(from, from + ITEMS_PER_TURN) };
    }
  }

  staged(stage: StageId): StagedContent {
    const { usedFiles, refused, writtenThrough, order } = this.#admitter.summary;
    return {
      stage,
      operations: this.#operations,
      baselines: this.#baselines,
      publicBaselines: this.#publicBaselines,
      last: this.#last,
      lastPublic: this.#lastPublic,
      latest: this.#latest,
      usedFiles,
      refused,
      writtenThrough,
      order,
    };
  }

  *#baselineRows(): Generator<{ row: BaselineRow | null; length: number }> {
    for (const baseline of this.#reader.baselines()) {
      this.#checkClock(baseline.timestamp);
      const row = this.#admitter.baseline(baseline);
      if (row) {
        this.#baselines++;
        this.#latest = laterOf(this.#latest, row.timestamp);
      }
      if (row?.authz === null) this.#publicBaselines++;
      yield { row, length: row?.snapshot.length ?? 0 };
    }
  }

  *#operationRows(): Generator<{ row: OperationRow | null; length: number }> {
    for (const operation of this.#reader.operations()) {
      this.#checkClock(operation.timestamp);
      const row = this.#admitter.operation(operation)?.row ?? null;
      if (row) {
        this.#operations++;
        this.#last = row.timestamp;
        this.#latest = laterOf(this.#latest, row.timestamp);
        if (row.authz === null) this.#lastPublic = row.timestamp;
      }
      yield { row, length: row?.data.length ?? 0 };
    }
  }

  async *#paged<Row>(rows: Generator<{ row: Row | null; length: number }>): AsyncGenerator<Row[]> {
    let page: Row[] = [];
    let text = 0;
    let read = 0;
    for (const { row, length } of rows) {
      if (row) page.push(row);
      text += length;
      if (++read % ITEMS_PER_TURN !== 0 && text < PAGE_TEXT) continue;
      if (page.length > 0) yield page;
      page = [];
      text = 0;
      await this.#reader.pause();
    }
    if (page.length > 0) yield page;
  }

  #checkClock(timestamp: Timestamp): void {
    const error = clockRefusal(timestamp, { latestMs: this.#latestMs });
    if (error) throw error;
  }
}
