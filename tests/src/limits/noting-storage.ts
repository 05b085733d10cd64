import type { Storage } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';

/** A storage in memory, and the libraries whose founding was staged: written a piece at a time. */
export function notingStorage(): { storage: Storage; staged: Set<string> } {
  const inner = memoryStorage();
  const staged = new Set<string>();
  const open: Storage['open'] = async (id) => {
    const library = await inner.open(id);
    return new Proxy(library, {
      get(target, name) {
        if (name === 'stage') staged.add(id);
        return bound(target, name);
      },
    });
  };
  const storage = new Proxy(inner, {
    get: (target, name) => (name === 'open' ? open : bound(target, name)),
  });
  return { storage, staged };
}

const bound = (target: object, name: string | symbol): unknown => {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : value;
};
