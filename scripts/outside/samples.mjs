import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../packed.mjs';

/** Before a block: why it is not run, or not even compiled. Readers of the page do not see it. */
const MARKER = /<!-- sample: not (run|compiled): ([^\n]+?) -->\s*$/;
/** The same for every block of a page. */
const PAGE_MARKER = /<!-- samples: not (run|compiled): ([^\n]+?) -->/;
/** Before a block: what it begins with, where the page leaves that out. */
const BEGINNING = /<!-- sample: begins\n((?:(?!-->).)*)-->\s*$/s;
const BLOCK = /^```tsx?\n(.*?)^```/gms;

/**
 * The TypeScript of every page that a user reads: `place`, `code`, and what keeps it from being run or compiled
 * (`unless`, null: nothing). A block that begins with a comment `// name.test.ts` is a test.
 */
export function readSamples() {
  return pages().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(BLOCK)].map(({ index, 1: code }) => {
      const before = text.slice(0, index);
      const [, kind = null, reason] = MARKER.exec(before) ?? PAGE_MARKER.exec(text) ?? [];
      return {
        place: `${page}:${before.split('\n').length}`,
        code: (BEGINNING.exec(before)?.[1] ?? '') + code,
        isTest: /^\/\/ [\w-]+\.test\.ts\n/.test(code),
        isCompiled: kind !== 'compiled',
        isRun: kind === null,
        reason,
      };
    });
  });
}

function pages() {
  const readmes = ['packages', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, 'README.md')),
  );
  const docs = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return ['README.md', ...docs, ...readmes].filter((page) => existsSync(join(root, page)));
}
