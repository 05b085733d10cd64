import type { RestingPresence } from '@verdant-web/core';

/** What each name of a user's row begins with. The user's id follows. */
export const PRESENCE = 'presence:';

/** Presence by user, as it is stored. Leases end at a multiple of `stepMs`: not each poll that renews one writes a row. */
export function split({ announced, leases }: RestingPresence, stepMs: number): Map<string, string> {
  const users = new Map<string, RestingPresence>();
  const of = (userId: string): RestingPresence => {
    const name = PRESENCE + JSON.stringify(userId).slice(1, -1);
    const user = users.get(name) ?? { announced: [], leases: [] };
    users.set(name, user);
    return user;
  };
  for (const one of announced) of(one.info.id).announced.push(one);
  for (const lease of leases) {
    const until = Math.ceil(lease.until / stepMs) * stepMs;
    of(lease.userId).leases.push({ ...lease, until });
  }
  return new Map([...users].map(([name, user]) => [name, textOf(user)]));
}

export function merged(users: ReadonlyMap<string, string>): RestingPresence {
  const all = [...users.values()].map((text) => JSON.parse(text) as RestingPresence);
  return { announced: all.flatMap((user) => user.announced), leases: all.flatMap((user) => user.leases) };
}

/** A row has at most 2 MB. In UTF-16 units, each of which is three bytes at most. */
const MAX_ROW_LENGTH = 600_000;
const MAX_LEASES_LENGTH = 300_000;

/**
 * Of a user with very much to show, or who polls from very many devices, the last are kept. The others have left when the
 * object wakes, and are here again with their next poll or announcement.
 */
function textOf({ announced, leases }: RestingPresence): string {
  leases.sort((one, other) => one.until - other.until);
  const kept = lastWithin(MAX_LEASES_LENGTH, leases);
  const left = MAX_ROW_LENGTH - JSON.stringify(kept).length;
  return JSON.stringify({ announced: lastWithin(left, announced), leases: kept });
}

/** As many of the last as have this length, as JSON. */
function lastWithin<Item>(maxLength: number, items: readonly Item[]): Item[] {
  let from = items.length;
  for (let left = maxLength; from > 0; from--) {
    left -= JSON.stringify(items[from - 1]).length + 1;
    if (left < 0) break;
  }
  return items.slice(from);
}
