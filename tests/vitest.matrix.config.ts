import { defineConfig } from 'vitest/config';
import { sourceAliases } from '../vitest.shared.js';

export default defineConfig({
  resolve: { alias: sourceAliases },
  test: {
    name: 'matrix',
    include: ['src/matrix/*.test.ts'],
    globalSetup: 'src/chromium/setup.ts',
    // Most of a scenario is waiting for others.
    maxConcurrency: 4,
    // About one in a hundred meets a race in a client that no server can end (docs/compatibility.md): what fails once is
    // tried once more, and counts as failed where it fails again.
    retry: 1,
    server: { deps: { inline: [/@verdant-web/] } },
  },
});
