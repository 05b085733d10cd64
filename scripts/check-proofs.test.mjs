import { expect, test } from 'vitest';
import { problemsOf, proofsIn } from './check-proofs.mjs';

const problems = (markdown, files) =>
  problemsOf({ page: 'a.md', proofs: proofsIn(markdown), sourceOf: (file) => files[file] ?? null });

test('a page names a test by a link, over two lines and with a rule, too', () => {
  const files = { 'x.test.ts': `test('[A-1] is not lost', f); it('isn\\'t late', f);` };
  expect(
    problems("[[A-1] is not\n  lost](x.test.ts), [isn't late](x.test.ts), [`x.test.ts`](x.test.ts)", files),
  ).toEqual([]);
});

test('a test that was renamed or moved is told', () => {
  const files = { 'x.test.ts': "test('is lost', f);" };
  expect(problems('[is not lost](x.test.ts) [is lost](y.test.ts)', files)).toEqual([
    'a.md: x.test.ts has no test "is not lost"',
    'a.md: y.test.ts is not there',
  ]);
});

test('other links are none of its business', () => {
  expect(proofsIn('[x](x.ts) [y](y.md#z) [z] (z.test.ts)')).toEqual([]);
});
