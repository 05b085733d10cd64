import { expect, test } from 'vitest';
import { closeReason } from './close-reason.js';

test.each([
  ['short', 'short'],
  ['x'.repeat(123), 'x'.repeat(123)],
  ['x'.repeat(124), 'x'.repeat(123)],
  [`${'x'.repeat(122)}é`, 'x'.repeat(122)],
  [`${'x'.repeat(120)}😀`, 'x'.repeat(120)],
  [`${'x'.repeat(119)}😀y`, `${'x'.repeat(119)}😀`],
])('%j', (reason, cut) => {
  expect(closeReason(reason).toString()).toBe(cut);
});
