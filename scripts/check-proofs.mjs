// Pages prove what they say by tests: a link to one, with its name as the text. The file has to be there, and the name in it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const LINK = /\[((?:[^[\]]|\[[A-Z]+-\d+\])+)\]\(([^)\s]+\.test\.tsx?)\)/g;

/** The tests that a page links, each with its file as the page has it. */
export const proofsIn = (markdown) =>
  [...markdown.matchAll(LINK)].map(([, text, file]) => ({ name: text.replace(/\s+/g, ' '), file }));

/**
 * What is wrong with the proofs of a page. A name may be a part of a test's; a link with a file's own name as its text means
 * the whole file.
 */
export function problemsOf({ page, proofs, sourceOf }) {
  return proofs.flatMap(({ name, file }) => {
    const source = sourceOf(file);
    if (source === null) return [`${page}: ${file} is not there`];
    if (name.replaceAll('`', '') === file.split('/').at(-1)) return [];
    // Quotes may be escaped in the source; a name with a value in it is matched up to there.
    const known = source.replaceAll('\\', '').includes(name);
    return known ? [] : [`${page}: ${file} has no test "${name}"`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const pages = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
    .split('\0')
    .filter((page) => page !== '' && existsSync(join(root, page)));
  let count = 0;
  const problems = pages.flatMap((page) => {
    const proofs = proofsIn(readFileSync(join(root, page), 'utf8'));
    count += proofs.length;
    const sourceOf = (file) => {
      const path = join(root, normalize(join(dirname(page), file)));
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    };
    return problemsOf({ page, proofs, sourceOf });
  });
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0
      ? `Each of the ${count} tests that pages link is there.`
      : `${problems.length} tests that pages link are not there.`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
