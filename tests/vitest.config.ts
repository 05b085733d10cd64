import { configDefaults, defineConfig } from 'vitest/config';
import { sourceAliases } from '../vitest.shared.js';

export default defineConfig({
  resolve: { alias: sourceAliases },
  test: {
    name: 'system',
    // `make-fixture.ts` writes what is checked in: only when it is asked for.
    include: [
      process.env.MAKE_ORIGINAL_FIXTURE ? 'src/original/make-fixture.ts' : '{src,simulation}/**/*.test.ts',
    ],
    // A project of its own: vitest.matrix.config.ts.
    exclude: [...configDefaults.exclude, 'src/matrix/**'],
    testTimeout: 60_000,
    server: { deps: { inline: [/@verdant-web/] } },
  },
});
