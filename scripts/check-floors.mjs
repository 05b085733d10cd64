// A package imports only from lower floors (docs/architecture.md), and core only what every JavaScript runtime has.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const floors = {
  protocol: 1,
  tokens: 2,
  core: 3,
  'storage-sql': 4,
  testkit: 4,
  'files-local': 4,
  http: 4,
  'storage-sqlite': 5,
  node: 5,
  server: 6,
};
/** Packages that run on any JavaScript runtime. */
const portable = ['protocol', 'tokens', 'core', 'storage-sql', 'http'];

/** An import or re-export statement at the start of a line; quotes and semicolons end it, so that prose does not match. */
const IMPORT = /^(?:import|export)\b[^;'"`=]*?\bfrom '([^']+)'|^import '([^']+)'/gm;

const problems = [];
const packages = new URL('../packages/', import.meta.url).pathname;
for (const name of readdirSync(packages)) {
  const floor = floors[name];
  if (floor === undefined) {
    problems.push(`packages/${name} has no floor in scripts/check-floors.mjs`);
    continue;
  }
  const manifest = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    const other = dependency.startsWith('@verdant-web/') ? dependency.slice('@verdant-web/'.length) : null;
    if (other !== null && !(floors[other] < floor)) {
      problems.push(`packages/${name} (floor ${floor}) depends on ${dependency} (floor ${floors[other]})`);
    }
  }
  for (const file of sources(join(packages, name, 'src'))) {
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const specifier = from ?? bare;
      const problem = checkImport(name, manifest, specifier);
      if (problem) problems.push(`${file.slice(packages.length)} imports ${specifier}: ${problem}`);
    }
  }
}
for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? 'Every package imports from lower floors only.' : `${problems.length} problems.`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function checkImport(name, manifest, specifier) {
  if (specifier.startsWith('.')) return null;
  if (specifier.startsWith('node:')) return portable.includes(name) ? 'this package runs without Node' : null;
  const parts = specifier.split('/');
  const dependency = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  return dependency in declared ? null : 'not among its dependencies';
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes('/testing/'));
}
