// What may import what: docs/architecture.md says why. `pnpm floors` checks it, on built packages. A dependency that a
// package.json declares upwards is either imported, which is found here, or unused, which knip finds.

/** The floors, from the ground up. A package imports from lower floors only. */
const floors = [
  ['protocol'],
  ['tokens'],
  ['core'],
  ['storage-sql', 'testkit', 'files-local', 'http'],
  ['storage-sqlite', 'node', 'cloudflare'],
  ['server'],
];
/** Packages that run on any JavaScript runtime. */
const portable = ['protocol', 'tokens', 'core', 'storage-sql', 'http', 'cloudflare'];

const oneOf = (names) => `(?:${names.join('|')})`;
/** Tests, and what only they use. */
const TESTS = '\\.test\\.ts$|/testing/';

const floorRules = floors.flatMap((floor, index) =>
  floor.map((name) => ({
    name: `floor-${index + 1}-${name}`,
    comment: `${name} is on floor ${index + 1}: it may import from ${floors.slice(0, index).flat().join(', ') || 'no other package'}.`,
    severity: 'error',
    from: { path: `^packages/${name}/`, pathNot: TESTS },
    to: {
      path: '^(?:packages|examples|tests)/',
      pathNot: `^packages/${oneOf([name, ...floors.slice(0, index).flat()])}/`,
    },
  })),
);

export default {
  forbidden: [
    ...floorRules,
    {
      name: 'every-package-has-a-floor',
      comment: 'Give the new package its floor in .dependency-cruiser.mjs and in docs/architecture.md.',
      severity: 'error',
      from: { path: '^packages/', pathNot: `^packages/${oneOf(floors.flat())}/` },
      to: {},
    },
    {
      name: 'portable-without-node',
      comment: 'This package runs on every JavaScript runtime: web-standard globals only.',
      severity: 'error',
      from: { path: `^packages/${oneOf(portable)}/`, pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'other-packages-by-their-name',
      comment: 'Import another package by its name, which is what its users have.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/[^/]+/src/', pathNot: '^packages/$1/' },
    },
    {
      name: 'declared',
      comment: 'What is published needs this at run time: declare it under dependencies or peerDependencies.',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-dev', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer'],
      },
    },
    {
      name: 'resolvable',
      comment:
        'There is no such module, or package.json does not declare its package. Are the packages built?',
      severity: 'error',
      from: {},
      // The runtime of Cloudflare has modules of its own.
      to: { couldNotResolve: true, pathNot: '^cloudflare:' },
    },
    {
      name: 'published-without-tests',
      comment: 'Tests, and the builders in testing/, are not part of a package.',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { path: `^packages/[^/]+/src.*(?:${TESTS})` },
    },
    {
      name: 'no-circles',
      comment: 'Modules that import each other at run time cannot be understood one by one.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
