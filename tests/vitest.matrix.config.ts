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
    server: { deps: { inline: [/@verdant-web/] } },
  },
});
