import { defineConfig } from 'vitest/config';
import { sourceAliases } from './vitest.shared.js';

export default defineConfig({
  test: {
    // By default one less than there are cores, which leaves most of a small machine waiting for timers and sockets.
    maxWorkers: 2,
    // A real client that is closed may yet reach for its closed database, and nobody hears of it: in a browser, a line
    // in the console.
    onUnhandledError: (error) =>
      !(
        error.name === 'InvalidStateError' &&
        /node_modules\/(@verdant-web\/store|verdant-store-5)\//.test(error.stack ?? '')
      ),
    coverage: {
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**'],
      reporter: ['text-summary', 'html'],
    },
    projects: [
      {
        resolve: { alias: sourceAliases },
        test: { name: 'packages', include: ['packages/*/src/**/*.test.ts'], testTimeout: 20_000 },
      },
      { test: { name: 'scripts', include: ['scripts/*.test.mjs'] } },
      './tests/vitest.config.ts',
      './tests/vitest.matrix.config.ts',
      './examples/demo/vitest.config.ts',
      './examples/todo/vitest.config.ts',
      './examples/custom-storage/vitest.config.ts',
      './examples/cloudflare/vitest.config.ts',
    ],
  },
});
