import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { LibraryStorage, RevocationRow, Storage } from '@verdant-web/core';
import * as backend from '@verdant-web/core/backend';
import type { LibraryId, Oid } from '@verdant-web/protocol';

/** Keeps each library in a JSON file in `directory`, which is read when it is opened, and written anew by each commit. */
export function jsonFileStorage({ directory }: { directory: string }): Storage {
  fs.mkdirSync(directory, { recursive: true });
  const opened = new Map<LibraryId, LibraryStorage>();
  const revocationsPath = join(directory, 'revocations.json');
  const revocations = () => readJson<RevocationRow[]>(revocationsPath) ?? [];
  // Users choose ids: only a hash is a safe name. JSON, unlike UTF-8, tells lone surrogates apart.
  const nameOf = (id: LibraryId) =>
    `${createHash('sha256').update(JSON.stringify(id)).digest('hex')}.library.json`;

  return {
    limits: { maxValueBytes: 16 * 1024 * 1024, multiProcess: false },
    async open(id) {
      await opened.get(id)?.close();
      const library = openLibrary(id, join(directory, nameOf(id)));
      opened.set(id, library);
      return library;
    },
    async *list(after) {
      const names = fs.readdirSync(directory).filter((name) => name.endsWith('.library.json'));
      for (const name of names.sort()) {
        if (after !== undefined && name <= nameOf(after)) continue;
        yield readJson<{ id: LibraryId }>(join(directory, name))!.id;
      }
    },
    readRevocations: async () => revocations(),
    async putRevocation(row) {
      const rows = revocations();
      const isSame = (other: RevocationRow) =>
        other.userId === row.userId && other.libraryId === row.libraryId;
      if (rows.some((other) => isSame(other) && other.issuedBefore >= row.issuedBefore)) return;
      writeJson(revocationsPath, [...rows.filter((other) => !isSame(other)), row]);
    },
    async close() {
      for (const library of opened.values()) await library.close();
      opened.clear();
    },
  };
}

function openLibrary(id: LibraryId, path: string): LibraryStorage {
  const stages = new backend.HeldStages();
  // Rows are never changed: a commit makes other ones, and who is reading goes on with those that there were.
  let rows = readJson<backend.LibraryRows>(path) ?? backend.emptyRows;
  let isOpen = true;

  /** A copy of what is read: whoever gets it may change it. */
  function read<Answer>(from: (now: backend.LibraryRows) => Answer): Answer {
    if (!isOpen) throw new Error(`The library was closed, or opened again: ${JSON.stringify(id)}`);
    return structuredClone(from(rows));
  }

  function save(next: backend.LibraryRows): void {
    writeJson(path, { id, ...next });
    rows = next;
  }

  async function* pages<Row extends Paged>(from: (now: backend.LibraryRows) => readonly Row[]) {
    const { epoch } = rows.head;
    for (const page of backend.inPages(read(from))) {
      if (read((now) => now.head.epoch) !== epoch) throw new Error('The library was evicted meanwhile');
      yield page;
    }
  }

  const library: LibraryStorage = {
    load: async (activeSince) =>
      read(({ head, replicas }) => {
        const active = replicas.filter((row) => row.lastSeen >= activeSince);
        return rows === backend.emptyRows ? null : { head, replicas: active };
      }),
    lookup: async ({ keys, replicas, access, objects }) =>
      read((now) => {
        const known = new Set([...now.operations, ...now.foldedKeys].map(keyText));
        return {
          keys: keys.filter((key) => known.has(keyText(key))),
          replicas: now.replicas.filter((row) => replicas.includes(row.id)),
          access: now.access.filter((row) => access.includes(row.root)),
          objects: objectRows(now, (oid) => objects.includes(oid)),
        };
      }),
    async commit(change) {
      const head = read((now) => now.head);
      const { epoch, version } = change.expect;
      if (head.epoch !== epoch || head.version !== version) return { ok: false, conflict: head };
      const isEmpty = rows.operations.length + rows.baselines.length === 0;
      const whole = stages.adopted(change, isEmpty);
      save(backend.rowsAfter(rows, structuredClone(whole)));
      stages.discard(change.adopt);
      return { ok: true };
    },
    stage: (staged) => stages.stage(staged),
    discardStage: async (stage) => stages.discard(stage),
    async evict(head) {
      save(
        backend.rowsAfterEviction(
          read((now) => now),
          head,
        ),
      );
      stages.clear();
    },
    reclaim: async () => read(() => false), // A file holds only what its library holds now.
    readDocument: async (root) =>
      read((now) => objectRows(now, (oid) => oid === root || oid.startsWith(`${root}:`))),
    readBaselines: () => pages((now) => by('oid', now.baselines)),
    readOperations: (after, through) =>
      pages((now) => by('order', now.operations).filter(({ order }) => order > after && order <= through)),
    earliestAfter: async (after) =>
      read((now) => by('timestamp', now.operations).find(({ order }) => order > after)?.timestamp ?? null),
    foldable: (query) => backend.findFoldable(library, query),
    readFile: async (file) => read((now) => now.files.find((row) => row.id === file) ?? null),
    readFiles: () => pages((now) => now.files),
    expiredFiles: async (before, limit) =>
      read((now) => now.files.filter((row) => (row.pendingDeleteAt ?? Infinity) <= before).slice(0, limit)),
    evictedFiles: async (limit) => read((now) => now.evictedFiles.slice(0, limit)),
    async forgetEvictedFiles(ids) {
      const evictedFiles = read((now) => now.evictedFiles.filter((row) => !ids.includes(row.id)));
      if (evictedFiles.length < rows.evictedFiles.length) save({ ...rows, evictedFiles });
    },
    readReplicas: async () => read((now) => by('id', now.replicas)),
    async close() {
      isOpen = false;
    },
  };
  return library;
}

type Paged = backend.LibraryRows['operations' | 'baselines' | 'files'][number];

const objectRows = (now: backend.LibraryRows, isAsked: (oid: Oid) => boolean) => ({
  baselines: by('oid', now.baselines).filter((row) => isAsked(row.oid)),
  operations: by('timestamp', by('order', now.operations)).filter((row) => isAsked(row.oid)),
});

const keyText = ({ replicaId, oid, timestamp }: backend.LibraryRows['foldedKeys'][number]) =>
  JSON.stringify([replicaId, oid, timestamp]);

/** Sorted by one of their fields; equal ones stay as they were. */
const by = <Row>(field: keyof Row, rows: readonly Row[]): Row[] =>
  [...rows].sort((a, b) => (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0));

function readJson<Value>(path: string): Value | null {
  return fs.existsSync(path) ? JSON.parse(fs.readFileSync(path, 'utf8')) : null;
}

/** On the disk when it returns, and whole at any instant: the new file is complete before it gets the old one's name. */
function writeJson(path: string, value: unknown): void {
  fs.writeFileSync(`${path}.new`, JSON.stringify(value), { flush: true });
  fs.renameSync(`${path}.new`, path);
  const directory = fs.openSync(dirname(path), 'r');
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}
