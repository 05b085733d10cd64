import { compileFunction } from 'node:vm';
import { applyPatch, assignOid, substituteRefsWithObjects } from '@verdant-web/common';
import type { Patch } from '@verdant-web/protocol';
import { createBrowser, createDevice } from '../clients/browser.js';
import { type Generation, readBundle } from '../clients/bundle.js';

/** Who else computes documents: npm's `@verdant-web/common`, and the published clients, inside their bundles. */
export const referenceNames = ['common 2.3.1', 'client 3.6.3', 'client 5.5.0'] as const;

export type ReferenceName = (typeof referenceNames)[number];

/** The functions of one of them. */
export interface Reference {
  readonly name: ReferenceName;
  /** The state after a patch. Changes `state` in place where it can, and throws where it has no answer. */
  readonly applyPatch: (state: unknown, patch: Patch) => unknown;
  /** Puts objects in the place of their refs, in place. Throws where an object is missing. */
  readonly joinObjects: (root: unknown, objects: Map<string, unknown>) => unknown;
  /** Tells `joinObjects` which object this is. */
  readonly assignOid: (object: unknown, oid: string) => unknown;
}

export const openReferences = (): Reference[] => [
  {
    name: 'common 2.3.1',
    applyPatch: applyPatch as Reference['applyPatch'],
    joinObjects: substituteRefsWithObjects as Reference['joinObjects'],
    assignOid: assignOid as Reference['assignOid'],
  },
  openBundle('client 3.6.3', '3.6.3'),
  openBundle('client 5.5.0', '5.5.0'),
];

/**
 * The functions out of a published bundle, which exports only the client: its last line is followed by one that
 * returns them. They are found by what they do, as their names are shortened.
 */
function openBundle(name: ReferenceName, generation: Generation): Reference {
  const { source, filename } = readBundle(generation);
  const found = {
    applyPatch: /function ([\w$]+)\(\w+,\w+,\w+\)\{if\(\w+==null&&\w+\.op!=="initialize"\)return/g,
    joinObjects: /function ([\w$]+)\(\w+,\w+,\w+=\[\]\)\{if\(Array\.isArray\(\w+\)\)for\(let /g,
    assignOid:
      /function ([\w$]+)\(\w+,\w+\)\{return [\w$]+\([\w$]+\(\w+\),`Only objects can be assigned OIDs/g,
  };
  const returned = Object.entries(found).map(([role, pattern]) => {
    const [match, ...others] = source.matchAll(pattern);
    if (!match || others.length > 0) {
      throw new Error(
        `${filename}: ${1 + others.length} or no functions look like ${role}; one was expected`,
      );
    }
    return `${role}: ${match[1]}`;
  });
  const browser = createBrowser(createDevice());
  const globals = {
    ...browser.globals,
    process: undefined,
    require: undefined,
    // Both say in the console what they ignore.
    console: { ...console, error: () => undefined },
  };
  const load = compileFunction(`${source}\n;return { ${returned.join(', ')} };`, Object.keys(globals), {
    filename,
  }) as (...values: unknown[]) => Omit<Reference, 'name'>;
  return { name, ...load(...Object.values(globals)) };
}
