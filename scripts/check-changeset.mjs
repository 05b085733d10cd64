// A change of what is published needs a changeset, which tells users what they will notice (`pnpm changeset`).
// Compares the working tree with where it left the main branch: $BASE, else origin/main, else main. On main itself, or
// in a clone that knows none of them, there is nothing to compare with, and this says so.
import { execFileSync } from 'node:child_process';

const SOURCE = /^packages\/[^/]+\/src\//;
const OF_TESTS = /\.test\.ts$|\/testing\//;
const NEW_CHANGESET = /^\.changeset\/(?!README).+\.md$/;

const base = mergeBase();
if (base === null) {
  console.log('No changeset is asked for: there is no base to compare with.');
} else {
  const changed = lines('diff', '--name-only', base).concat(
    lines('ls-files', '--others', '--exclude-standard'),
  );
  const published = changed.filter((file) => SOURCE.test(file) && !OF_TESTS.test(file));
  // One that is only edited speaks of something else; one that is added speaks of this.
  const added = lines('diff', '--name-only', '--diff-filter=A', base)
    .concat(lines('ls-files', '--others', '--exclude-standard'))
    .filter((file) => NEW_CHANGESET.test(file));
  if (published.length > 0 && added.length === 0) {
    console.error(
      `These files of published packages changed since ${base.slice(0, 8)}, without a changeset:`,
    );
    for (const file of published.slice(0, 20)) console.error(`  ${file}`);
    console.error(
      'Say what users will notice with "pnpm changeset", or "pnpm changeset --empty" where that is nothing.',
    );
    process.exitCode = 1;
  } else {
    console.log(
      published.length === 0
        ? 'Nothing that is published changed.'
        : `${published.length} published files changed; changesets: ${added.join(', ')}`,
    );
  }
}

/** Where this branch left the main one; null: unknown, or this is the main one. */
function mergeBase() {
  const head = git('rev-parse', 'HEAD');
  for (const ref of [process.env.BASE, 'origin/main', 'main']) {
    const base = ref && git('merge-base', 'HEAD', ref);
    if (base && base !== head) return base;
    // On the main branch only what is not committed yet can be looked at.
    if (base && base === head && git('status', '--porcelain') !== '') return base;
  }
  return null;
}

function lines(...args) {
  return (git(...args) ?? '').split('\n').filter(Boolean);
}

/** Null where git fails. */
function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
