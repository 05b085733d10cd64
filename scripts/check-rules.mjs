// Every rule of docs/protocol.md has a test whose name begins with it, and every rule that is named anywhere exists.
// `--list` shows which test proves which rule.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PROTOCOL = 'docs/protocol.md';
const DOCUMENT = /^(?:docs|packages|examples|tests)\/.*\.md$|^[^/]*\.md$/;
const SOURCE = /^(?:packages\/[^/]+|tests)\/src\/.*\.tsx?$/;

const RULE = /\[([A-Z]+-\d+)\]/g;
/** How the protocol states a rule: an item of a list that begins with its number in bold. */
const STATEMENT = /^- \*\*\[([A-Z]+-\d+)\]\*\*/gm;
const NAMED_FIRST = /^(?:\s*\[[A-Z]+-\d+\])+/;

/** The rules that a page states, in its order. */
export const rulesIn = (markdown) => [...markdown.matchAll(STATEMENT)].map(([, rule]) => rule);

/** The tests of a file whose names begin with rules. A `describe` counts where there is a test in it. */
export function ruleTestsIn(source, file = 'a.ts') {
  const found = [];
  /** Whether there is a test that runs in this part of the file. */
  const visit = (node) => {
    const call = testCall(node);
    if (!call) {
      let holdsTest = false;
      ts.forEachChild(node, (child) => {
        if (visit(child)) holdsTest = true;
      });
      return holdsTest;
    }
    if (call.isSkipped) return false;
    let holdsTest = call.kind !== 'describe';
    if (call.kind === 'describe') {
      for (const argument of node.arguments) if (visit(argument)) holdsTest = true;
    }
    const rules = rulesAtStart(call.name);
    if (holdsTest && rules.length > 0) found.push({ rules, file, name: call.name });
    return holdsTest;
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

/** What is wrong between rules, the tests that name them, and the pages that mention them; empty: nothing. */
export function problemsOf({ rules, tests, mentions = [] }) {
  const known = new Set(rules);
  const proven = new Set(tests.flatMap((test) => test.rules));
  const groups = new Set(rules.map(groupOf));
  return [
    ...outOfSequence(rules),
    ...rules.filter((rule) => !proven.has(rule)).map((rule) => `[${rule}] has no test`),
    ...tests.flatMap(({ rules: named, file, name }) =>
      named
        .filter((rule) => !known.has(rule))
        .map((rule) => `${file}: "${name}" names [${rule}], which is no rule`),
    ),
    ...mentions
      .filter(({ rule }) => groups.has(groupOf(rule)) && !known.has(rule))
      .map(({ rule, file }) => `${file} mentions [${rule}], which is no rule`),
  ];
}

function outOfSequence(rules) {
  const last = new Map();
  return rules.flatMap((rule) => {
    const expected = `${groupOf(rule)}-${(last.get(groupOf(rule)) ?? 0) + 1}`;
    last.set(groupOf(rule), Number(rule.slice(groupOf(rule).length + 1)));
    return rule === expected ? [] : [`[${rule}] stands where [${expected}] should`];
  });
}

const groupOf = (rule) => rule.slice(0, rule.indexOf('-'));

const rulesAtStart = (name) =>
  [...(NAMED_FIRST.exec(name)?.[0] ?? '').matchAll(RULE)].map(([, rule]) => rule);

/** What a call is as a test: `scenario(…)` of the matrix, `test(…)`, `it.each(…)(…)`, `describe.skip(…)`; null: it is none. */
function testCall(node) {
  if (!ts.isCallExpression(node)) return null;
  const modifiers = [];
  let callee = node.expression;
  while (!ts.isIdentifier(callee)) {
    if (ts.isPropertyAccessExpression(callee)) modifiers.push(callee.name.text);
    else if (!ts.isCallExpression(callee) && !ts.isTaggedTemplateExpression(callee)) return null;
    callee = ts.isTaggedTemplateExpression(callee) ? callee.tag : callee.expression;
  }
  const kind = callee.text;
  const name = textOf(node.arguments[0]);
  if (!['it', 'test', 'describe', 'scenario'].includes(kind) || name === null) return null;
  return { kind, name, isSkipped: modifiers.includes('skip') || modifiers.includes('todo') };
}

function textOf(node) {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.head.text : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = filesOf(root);
  const read = (pattern) =>
    files
      .filter((file) => pattern.test(file))
      .map((file) => ({ file, text: readFileSync(`${root}${file}`, 'utf8') }));
  const rules = rulesIn(readFileSync(`${root}${PROTOCOL}`, 'utf8'));
  const tests = read(SOURCE).flatMap(({ file, text }) => ruleTestsIn(text, file));
  const mentions = read(DOCUMENT).flatMap(({ file, text }) =>
    [...text.matchAll(RULE)].map(([, rule]) => ({ rule, file })),
  );
  if (process.argv.includes('--list')) list(rules, tests);
  const problems = problemsOf({ rules, tests, mentions });
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0
      ? `Each of the ${rules.length} rules of ${PROTOCOL} has a test.`
      : `${problems.length} problems between ${PROTOCOL} and its tests.`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function filesOf(root) {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  return execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], options)
    .split('\0')
    .filter((file) => file !== '' && existsSync(`${root}${file}`));
}

function list(rules, tests) {
  for (const rule of rules) {
    for (const test of tests) {
      if (test.rules.includes(rule)) console.log(`${rule.padEnd(10)} ${test.file}: ${test.name}`);
    }
  }
}
