import { describe, expect, test } from 'vitest';
import { problemsOf, rulesIn, ruleTestsIn } from './check-rules.mjs';

const rulesOf = (source) => ruleTestsIn(source).flatMap(({ rules }) => rules);

test('rules are the items of a page that begin with a number; mentions are not', () => {
  const page = ['- **[SYNC-1]** One, see [ACK-1].', '  more', 'See [SYNC-9].', '- **[ACK-1]** Two.'];
  expect(rulesIn(page.join('\n'))).toEqual(['SYNC-1', 'ACK-1']);
});

describe('a test proves', () => {
  test.each([
    ['the rule that its name begins with', "test('[A-1] does', () => {});", ['A-1']],
    ['each of several', "it('[A-1] [B-2] does', () => {});", ['A-1', 'B-2']],
    ['in a template', `test(\`[A-1] seed \${seed}\`, () => {});`, ['A-1']],
    ['with a table', "test.each([1, 2])('[A-1] %i', () => {});", ['A-1']],
    ['with options and modifiers', "test.concurrent('[A-1] x', { timeout: 1 }, () => {});", ['A-1']],
    ['by a scenario of the matrix', "scenario('[A-1] x', {}, async () => {});", ['A-1']],
    ['by the describe around it', "describe('[A-1] x', () => { test('y', () => {}); });", ['A-1']],
    ['by a describe with a table', "describe.each([1])('[A-1]', () => { it('y', f); });", ['A-1']],
    ['handed out by a contract', "export const contract = (test) => { test('[A-1] x', f); };", ['A-1']],
  ])('%s', (_, source, rules) => {
    expect(rulesOf(source)).toEqual(rules);
  });

  test.each([
    ['where its name goes on to mention a rule', "test('does what [A-1] says', () => {});"],
    ['where it is skipped', "test.skip('[A-1] x', () => {});"],
    ['where it is still to be written', "it.todo('[A-1] x');"],
    ['in a describe that holds no test', "describe('[A-1] x', () => { prepare(); });"],
    ['in a describe whose tests are skipped', "describe('[A-1] x', () => { test.skip('y', () => {}); });"],
    ['in a describe that is skipped', "describe.skip('[A-1] x', () => { test('[A-2] y', () => {}); });"],
    ['where it is a comment or a string', "// test('[A-1] x')\nconst text = \"test('[A-1] x', f)\";"],
    ['where it is no test', "expect('[A-1] x', f); log.test('[A-1] x');"],
  ])('nothing %s', (_, source) => {
    expect(rulesOf(source)).toEqual([]);
  });
});

describe('a problem is', () => {
  const proof = (...rules) => ({ rules, file: 'x.test.ts', name: 'name' });

  test('none where each rule has a test', () => {
    expect(problemsOf({ rules: ['A-1', 'A-2', 'B-1'], tests: [proof('A-1', 'B-1'), proof('A-2')] })).toEqual(
      [],
    );
  });

  test('a rule without a test', () => {
    expect(problemsOf({ rules: ['A-1', 'A-2'], tests: [proof('A-1')] })).toEqual(['[A-2] has no test']);
  });

  test('a test of a rule that does not exist', () => {
    expect(problemsOf({ rules: ['A-1'], tests: [proof('A-1', 'A-2')] })).toEqual([
      'x.test.ts: "name" names [A-2], which is no rule',
    ]);
  });

  test.each([
    ['twice', ['A-1', 'A-1'], '[A-1] stands where [A-2] should'],
    ['out of sequence', ['A-2', 'A-1'], '[A-2] stands where [A-1] should'],
    ['with a gap', ['A-1', 'A-3'], '[A-3] stands where [A-2] should'],
  ])('a number that is there %s', (_, rules, problem) => {
    expect(problemsOf({ rules, tests: [proof(...rules)] })).toContain(problem);
  });

  test('a mention of a rule that does not exist, but not of what only looks like one', () => {
    const mentions = [
      { rule: 'A-7', file: 'a.md' },
      { rule: 'UTF-8', file: 'a.md' },
    ];
    expect(problemsOf({ rules: ['A-1'], tests: [proof('A-1')], mentions })).toEqual([
      'a.md mentions [A-7], which is no rule',
    ]);
  });
});
