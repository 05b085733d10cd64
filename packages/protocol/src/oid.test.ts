import { createOid, decomposeOid, getOidRoot } from '@verdant-web/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Oid } from './ids.js';
import { documentOid, isOid, isRoot, parseOid, rootOf } from './oid.js';

const segment = fc
  .oneof(fc.string(), fc.stringMatching(/^[a-z&;./:]{0,8}$/))
  .filter((text) => !text.includes('&'));

describe('an object id', () => {
  it('[NAME-1] is what clients make of a collection and a key', () => {
    fc.assert(
      fc.property(segment, segment, (collection, key) => {
        const oid = documentOid(collection, key);
        expect(oid).toBe(createOid(collection, key));
        expect(parseOid(oid)).toEqual({ collection, key, nested: null });
        expect(isOid(oid)).toBe(collection !== '');
        expect(isRoot(oid)).toBe(true);
      }),
    );
  });

  it('[NAME-1] [NAME-2] of a nested object leads to its document', () => {
    const nested = `${documentOid('to.do', 'a:b/c')}:f00d` as Oid;
    expect(nested).toBe('to&dot;do/a&colon;b&slash;c:f00d');
    expect(rootOf(nested)).toBe('to&dot;do/a&colon;b&slash;c');
    expect(isRoot(nested)).toBe(false);
    expect(parseOid(nested)).toEqual({ collection: 'to.do', key: 'a:b/c', nested: 'f00d' });
  });

  it('[NAME-2] of an old client, with a path in it, belongs to the same document as there', () => {
    const legacy = 'todos/1.items:a1' as Oid;
    expect(rootOf(legacy)).toBe(getOidRoot(legacy));
    expect(parseOid(legacy)).toEqual({ collection: 'todos', key: decomposeOid(legacy).id, nested: 'a1' });
  });

  it('[NAME-3] is a string with a collection, within the length', () => {
    expect(isOid('a/b') && isOid('a/b:c') && isOid('a/') && isOid('a/\u0000\ud800')).toBe(true);
    for (const bad of ['', 'a', '/a', 'a:b/c', 'a.b/c', ':/', 5, null, {}]) expect(isOid(bad)).toBe(false);
    expect(isOid('a/bc', 4)).toBe(true);
    expect(isOid('a/bcd', 4)).toBe(false);
  });
});
