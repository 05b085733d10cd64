import { defineConfig } from 'vitest/config';
import { sourceAliases } from './vitest.shared.js';

export default defineConfig({
  test: {
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
    ],
  },
});
