import { memoryStorage } from '@verdant-web/core/memory';
import { applyOperations, isFileRef, isObjectRef, type Patch, type PlainObject } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { Random } from '../../simulation/random.js';
import { startApp } from '../server.js';
import { type RawOperation, RawReplica } from '../wire.js';
import { authUrl } from '../world.js';
import { mayComeIn } from './judge.js';
import { randomPatch, randomState } from './random-patches.js';
import { openReferences, type Reference } from './references.js';

const DOCUMENTS = 800;
const LIBRARY = 'documents';

/**
 * What `common` has no answer for: it throws, or follows refs for ever. The server gives one: null in the place of what
 * is not there, or would lead back; a nested object, which no client writes, as it is.
 */
const decided = ['a ref to nothing', 'a ref that leads back', 'a nested object'] as const;
type Reason = (typeof decided)[number];

test('[PATCH-1] documents are joined as the reference joins them, and where it has no answer, as decided', async () => {
  const app = await startApp({ storage: () => memoryStorage() });
  try {
    await uploadFile(app.base, 'file-1');
    const documents = Array.from({ length: DOCUMENTS }, (_, n) => randomDocument(n));
    const founder = new RawReplica(LIBRARY, 'founder', 'http');
    for (const { operations } of documents) {
      for (const { oid, data } of operations) founder.operation(oid, data as RawOperation['data']);
    }
    const timestamps = new Map(founder.written.map(({ oid, timestamp, data }) => [data, { oid, timestamp }]));
    expect(timestamps.size).toBe(founder.written.length);
    // They arrive in any order, and count in that of their timestamps.
    shuffle(founder.written);
    await founder.poll(app.base);

    const references = openReferences();
    const library = app.core.get(LIBRARY as never);
    const seen: Record<string, number> = {};
    for (const { root, key, operations } of documents) {
      const objects = objectsOf(operations);
      const snapshot = await library.getDocumentSnapshot('items', key);
      const start = objects.get(root);
      const reasons = start === undefined ? [] : reasonsIn(start, objects, [root]);
      const kind = start === undefined ? 'no document' : ([...reasons][0] ?? 'as the reference');
      seen[kind] = (seen[kind] ?? 0) + 1;
      if (kind === 'as the reference') {
        for (const reference of references) {
          expect(snapshot, `${root}, ${reference.name}`).toEqual(
            joinedBy(reference, root, objects, app.base),
          );
        }
      } else {
        for (const reference of references) {
          if (start !== undefined) {
            expect(() => joinedBy(reference, root, objects, app.base), `${root}: ${kind}`).toThrow();
          }
        }
        const expected = start === undefined ? null : fieldsJoined(start, objects, [root], app.base);
        expect(snapshot, root).toEqual(expected);
      }
    }
    expect(Object.keys(seen).sort()).toEqual(['as the reference', 'no document', ...decided].sort());
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(2);
  } finally {
    await app.stop();
  }
});

/** Objects that refer to each other, to nothing, to themselves, and to files, by what clients may send. */
function randomDocument(n: number) {
  const random = new Random(1, `document ${n}`);
  const key = String(n);
  const root = `items/${key}`;
  const [child, grandchild] = [`${root}:a`, `${root}:b`];
  const oids = [root, child, grandchild];
  const inCircles = random.chance(0.6);
  // What the generator calls `o/1:a` and so on are objects of this document: the root among them in some.
  const names: Record<string, string> = {
    'o/1:a': child,
    'o/1:b': grandchild,
    'o/1:c': inCircles ? root : grandchild,
    same: random.chance(0.5) ? grandchild : 'items/else',
  };
  const operations: { oid: string; data: Patch }[] = [];
  for (const oid of oids) {
    const patches = [{ op: 'initialize', value: {} } as Patch];
    let state: PlainObject | undefined = {};
    for (let left = random.between(1, 4); left > 0; left--) {
      const patch =
        left > 2 ? ({ op: 'initialize', value: randomState(random) } as Patch) : randomPatch(random, state);
      if (!mayComeIn(state, patch) || JSON.stringify(patch).includes('__proto__')) continue;
      if (patch.op === 'list-set' && patch.index > 100) continue;
      // An object that is itself a ref stands for nothing else.
      if (patch.op === 'initialize' && '@@type' in patch.value) continue;
      patches.push(patch);
      state = applyOperations(state, [patch]);
    }
    for (const patch of patches) {
      const text = JSON.stringify(patch, (field, value) =>
        field === 'id' ? (names[value] ?? value) : isBrokenRef(value) ? null : value,
      );
      operations.push({
        oid,
        data: inCircles ? (JSON.parse(text) as Patch) : onlyDownwards(JSON.parse(text), oid),
      });
    }
  }
  return { root, key, operations };
}

/** One that no client can follow. */
const isBrokenRef = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  ['ref', 'file'].includes((value as { '@@type'?: string })['@@type'] ?? '') &&
  !isObjectRef(value) &&
  !isFileRef(value);

/** Refs lead from the root down, as in what clients write. */
function onlyDownwards(patch: Patch, oid: string): Patch {
  const level = (id: string) => (id.endsWith(':b') ? 2 : id.endsWith(':a') ? 1 : 0);
  const text = JSON.stringify(patch, (_, value) =>
    isObjectRef(value) && value.id.startsWith('items/') && level(value.id) <= level(oid)
      ? 'was a ref'
      : value,
  );
  const changed = JSON.parse(text) as Patch;
  return mayComeIn({}, changed) ? changed : { op: 'touch' };
}

function objectsOf(operations: readonly { oid: string; data: Patch }[]): Map<string, PlainObject> {
  const objects = new Map<string, PlainObject>();
  for (const oid of new Set(operations.map((operation) => operation.oid))) {
    const patches = operations.filter((operation) => operation.oid === oid).map(({ data }) => data);
    const state = applyOperations(undefined, patches);
    if (state !== undefined) objects.set(oid, state);
  }
  return objects;
}

/** Why the reference has no answer. */
function reasonsIn(
  object: PlainObject,
  objects: Map<string, PlainObject>,
  within: readonly string[],
): Set<Reason> {
  const reasons = new Set<Reason>();
  for (const value of Object.values(object)) {
    if (isFileRef(value) || typeof value !== 'object' || value === null) continue;
    // In a nested list the reference follows refs, in a nested object it misses an id.
    if (Array.isArray(value)) for (const reason of reasonsIn(value, objects, within)) reasons.add(reason);
    else if (!isObjectRef(value)) reasons.add('a nested object');
    else if (within.includes(value.id)) reasons.add('a ref that leads back');
    else {
      const target = objects.get(value.id);
      if (!target) reasons.add('a ref to nothing');
      else for (const reason of reasonsIn(target, objects, [...within, value.id])) reasons.add(reason);
    }
  }
  return reasons;
}

function joinedBy(
  { joinObjects, assignOid }: Reference,
  root: string,
  objects: Map<string, PlainObject>,
  base: string,
): unknown {
  const copies = structuredClone(objects) as Map<string, PlainObject>;
  for (const [oid, object] of copies) assignOid(object, oid);
  const start = copies.get(root);
  joinObjects(start, copies);
  return withFiles(start, base);
}

/** The join that was decided, for what the reference cannot join. */
function joined(
  value: unknown,
  objects: Map<string, PlainObject>,
  within: readonly string[],
  base: string,
): unknown {
  if (isFileRef(value)) return withFiles(value, base);
  if (isObjectRef(value)) {
    const target = objects.get(value.id);
    return target && !within.includes(value.id)
      ? fieldsJoined(target, objects, [...within, value.id], base)
      : null;
  }
  return typeof value === 'object' && value !== null
    ? fieldsJoined(value as PlainObject, objects, within, base)
    : value;
}

function fieldsJoined(
  object: PlainObject,
  objects: Map<string, PlainObject>,
  within: readonly string[],
  base: string,
): unknown {
  if (Array.isArray(object)) return object.map((item) => joined(item, objects, within, base));
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, joined(value, objects, within, base)]),
  );
}

/** A file that was uploaded as an app gets it; null for another. */
function withFiles(value: unknown, base: string): unknown {
  if (isFileRef(value)) {
    const { id } = value;
    return id === 'file-1'
      ? { id, name: 'a.txt', type: 'text/plain', url: `${base}/files/${LIBRARY}/${id}/a.txt` }
      : null;
  }
  if (Array.isArray(value)) return value.map((item) => withFiles(item, base));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withFiles(field, base)]));
}

async function uploadFile(base: string, id: string): Promise<void> {
  const answer = await fetch(authUrl(base, LIBRARY, 'founder', 0));
  const { accessToken } = (await answer.json()) as { accessToken: string };
  const body = new FormData();
  body.set('file', new File(['bytes'], 'a.txt', { type: 'text/plain' }));
  const headers = { Authorization: `Bearer ${accessToken}` };
  const response = await fetch(`${base}/verdant/files/${id}`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
}

function shuffle<Item>(items: Item[]): void {
  const random = new Random(1, 'arrival');
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j] as Item, items[i] as Item];
  }
}
