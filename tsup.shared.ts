import { defineConfig } from 'tsup';

/** Every published package is built the same way: ES modules, declarations and source maps. */
export const libraryBuild = (entry: string[]) =>
  defineConfig({
    entry,
    format: ['esm'],
    target: 'node20',
    platform: 'neutral',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    tsconfig: 'tsconfig.build.json',
  });
