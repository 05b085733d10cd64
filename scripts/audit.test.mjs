import { expect, test } from 'vitest';
import { seriousIn } from './audit.mjs';

const told = (vulnerabilities) => JSON.stringify({ metadata: { vulnerabilities } });

test('what is high or critical counts, less does not', () => {
  expect(seriousIn(told({ low: 3, moderate: 2, high: 0, critical: 0 }))).toBe(0);
  expect(seriousIn(told({ low: 0, moderate: 0, high: 1, critical: 2 }))).toBe(3);
});

test.each([
  '',
  '{"metadata":{"vulnerabilities":{}}}',
  'Error: ERR_PNPM_AUDIT_BAD_RESPONSE',
  '{"error":{"code":"ENOTFOUND"}}',
])('no answer is not taken for a good one: %j', (output) => {
  expect(seriousIn(output)).toBe(null);
});
