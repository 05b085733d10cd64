import {
  type AuthzKey,
  authzKeyFor,
  documentOid,
  isObjectRef,
  isRoot,
  type ObjectRef,
  type Oid,
  type Operation,
  ORIGINATOR_SUBJECT,
  type Patch,
  type PlainObject,
  type PlainValue,
  rootOf,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';
import type { ClientDatabase } from './client-database.js';
import type { HybridClock } from './hybrid-clock.js';
import { mayBeSeenBy, privateKey } from './objects.js';
import type { Random } from './random.js';

const COLLECTIONS = ['items', 'notes'];
/** Documents that several devices may create on their own, as apps do with settings; one needs escaping. */
const SHARED_KEYS = ['settings', 'a.b/c:d'];

/** Makes the edits of one user at random, as the published client writes them: nested objects before their root. */
export class RandomEdits {
  readonly #random: Random;
  readonly #userId: UserId;
  readonly #authz: AuthzKey;
  readonly #originator = authzKeyFor(ORIGINATOR_SUBJECT as UserId);
  /** Changes of fields are rarely this long; then a reply has to be streamed. */
  readonly #longText: boolean;

  constructor(options: { random: Random; userId: UserId; longText: boolean }) {
    this.#random = options.random;
    this.#userId = options.userId;
    this.#authz = authzKeyFor(options.userId);
    this.#longText = options.longText;
  }

  /** One user action, as operations; none where there is nothing to act on. */
  make(database: ClientDatabase, clock: Pick<HybridClock, 'now'>): Operation[] {
    const random = this.#random;
    const roots = [...database.oids].filter((oid) => isRoot(oid) && mayBeSeenBy(this.#userId, oid));
    const changes: { oid: Oid; data: Patch }[] = [];
    const root = roots.length > 0 ? random.pick(roots) : null;
    if (root === null || random.chance(roots.length < 6 ? 0.3 : 0.06)) this.#create(this.#newRoot(), changes);
    else if (database.read(root) === undefined) this.#create(root, changes);
    else if (random.chance(0.04)) this.#delete(root, database, changes);
    else if (random.chance(0.02)) this.#create(root, changes);
    else {
      for (let count = random.between(1, 3); count > 0; count--) this.#change(root, database, changes);
    }
    return this.#dated(changes, () => clock.now());
  }

  #dated(changes: readonly { oid: Oid; data: Patch }[], now: () => Timestamp): Operation[] {
    return changes.map(({ oid, data }) => {
      const authz = this.#authzOf(rootOf(oid));
      return { oid, timestamp: now(), data, ...(authz === undefined ? {} : { authz }) };
    });
  }

  /** What an app's migration does with what it finds: defaults in new fields, and a document that every device makes on its own. */
  migrate(database: ClientDatabase, clock: HybridClock): Operation[] {
    const random = this.#random;
    const changes: { oid: Oid; data: Patch }[] = [];
    for (const root of [...database.oids]) {
      if (!isRoot(root) || !mayBeSeenBy(this.#userId, root) || database.read(root) === undefined) continue;
      changes.push({ oid: root, data: { op: 'set', name: `new in ${clock.version}`, value: 'default' } });
      if (random.chance(0.3)) {
        const nested = this.#nested(root);
        changes.push({ oid: nested, data: { op: 'initialize', value: { city: this.#primitive() } } });
        changes.push({ oid: root, data: { op: 'set', name: 'place', value: refTo(nested) } });
      }
    }
    const seeded = documentOid('items', `of ${clock.version}`);
    if (database.read(seeded) === undefined)
      changes.push({ oid: seeded, data: { op: 'initialize', value: { name: this.#primitive() } } });
    return this.#dated(changes, () => clock.zero());
  }

  /** A change to a document of somebody else, which no client makes by itself. It changes nothing where it is absent. */
  trespass(root: Oid, clock: HybridClock): Operation[] {
    return [{ oid: root, timestamp: clock.now(), data: { op: 'set', name: 'stolen', value: this.#userId } }];
  }

  #newRoot(): Oid {
    const random = this.#random;
    const collection = random.pick(COLLECTIONS);
    if (random.chance(0.2)) return documentOid(collection, random.pick(SHARED_KEYS));
    const name = random.name(5);
    return documentOid(collection, random.chance(0.25) ? privateKey(this.#userId, name) : name);
  }

  #authzOf(root: Oid): AuthzKey | undefined {
    if (!root.split('/')[1]?.startsWith(`p-${this.#userId}-`)) return undefined;
    return this.#random.chance(0.1) ? this.#originator : this.#authz;
  }

  #create(root: Oid, changes: { oid: Oid; data: Patch }[]): void {
    const list = this.#nested(root);
    const place = this.#nested(root);
    changes.push({ oid: list, data: { op: 'initialize', value: [this.#primitive(), this.#primitive()] } });
    changes.push({ oid: place, data: { op: 'initialize', value: { city: this.#primitive() } } });
    const value = { name: this.#primitive(), tags: refTo(list), place: refTo(place) };
    changes.push({ oid: root, data: { op: 'initialize', value } });
  }

  #delete(root: Oid, database: ClientDatabase, changes: { oid: Oid; data: Patch }[]): void {
    for (const oid of database.oids) {
      if (rootOf(oid) === root) changes.push({ oid, data: { op: 'delete' } });
    }
  }

  #change(root: Oid, database: ClientDatabase, changes: { oid: Oid; data: Patch }[]): void {
    const random = this.#random;
    const objects = [...database.oids].filter(
      (oid) => rootOf(oid) === root && database.read(oid) !== undefined,
    );
    const oid = random.pick(objects);
    const state = database.read(oid);
    if (state === undefined) return;
    // Restored from elsewhere, an object keeps its name, whatever it is now.
    if (!isRoot(oid) && random.chance(0.03))
      changes.push({ oid, data: { op: 'initialize', value: this.#listOrObject() } });
    else if (Array.isArray(state)) this.#changeList(oid, state, changes);
    else this.#changeFields(oid, state, changes);
  }

  #changeFields(
    oid: Oid,
    state: Exclude<PlainObject, PlainValue[]>,
    changes: { oid: Oid; data: Patch }[],
  ): void {
    const random = this.#random;
    const name = random.pick(['name', 'color', 'count', 'city']);
    if (random.chance(0.2)) changes.push({ oid, data: { op: 'remove', name } });
    else if (random.chance(0.15)) {
      // What was an object may become a list, and the other way round.
      const field = random.chance(0.8) ? 'place' : 'tags';
      const nested = this.#nested(rootOf(oid));
      changes.push({ oid: nested, data: { op: 'initialize', value: this.#listOrObject() } });
      changes.push({ oid, data: { op: 'set', name: field, value: refTo(nested) } });
      const old = state[field];
      if (isObjectRef(old)) changes.push({ oid: old.id as Oid, data: { op: 'delete' } });
    } else if (this.#longText && random.chance(0.05)) {
      changes.push({ oid, data: { op: 'set', name: 'text', value: random.name(2).repeat(20_000) } });
    } else changes.push({ oid, data: { op: 'set', name, value: this.#primitive() } });
  }

  #changeList(oid: Oid, list: PlainValue[], changes: { oid: Oid; data: Patch }[]): void {
    const random = this.#random;
    const end = list.length;
    const index = random.between(0, end);
    const some = end > 0 ? list[random.below(end)] : undefined;
    const push = (data: Patch) => changes.push({ oid, data });
    switch (random.below(9)) {
      case 0:
        return void push({ op: 'list-push', value: this.#primitive() });
      case 1:
        return void push({ op: 'list-insert', index, value: this.#primitive() });
      case 2:
        return void push({ op: 'list-insert', index, values: [this.#primitive(), this.#primitive()] });
      case 3:
        return void (
          end > 0 && push({ op: 'list-delete', index: random.below(end), count: random.between(1, 2) })
        );
      case 4:
        if (end > 1) push({ op: 'list-move-by-index', from: random.below(end), to: random.below(end) });
        return;
      case 5:
        return void push({ op: 'list-add', value: this.#primitive() });
      case 6: {
        const item = this.#nested(rootOf(oid));
        changes.push({ oid: item, data: { op: 'initialize', value: { label: this.#primitive() } } });
        return void push({ op: 'list-push', value: refTo(item) });
      }
      case 7:
        if (isObjectRef(some)) push({ op: 'list-move-by-ref', value: some, index: random.below(end) });
        return;
      default:
        if (some === undefined || some === null) return;
        push(
          random.chance(0.5)
            ? { op: 'list-remove', value: some }
            : { op: 'list-remove', value: some, only: random.pick(['first', 'last'] as const) },
        );
        if (isObjectRef(some)) changes.push({ oid: some.id as Oid, data: { op: 'delete' } });
    }
  }

  #listOrObject(): PlainObject {
    const random = this.#random;
    return random.chance(0.3) ? [this.#primitive(), this.#primitive()] : { city: this.#primitive() };
  }

  #nested(root: Oid): Oid {
    return `${root}:${this.#random.name(6)}` as Oid;
  }

  /** Never falsy: the oracle cannot insert such values into lists, and patches are tested elsewhere. */
  #primitive(): string | number {
    const random = this.#random;
    return random.chance(0.5) ? random.between(1, 9) : random.name(2);
  }
}

const refTo = (oid: Oid): ObjectRef => ({ '@@type': 'ref', id: oid });
