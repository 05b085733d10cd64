import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sourceAliases } from '../vitest.shared.js';
import { CORE, plant } from './simulation/mutations/fault.js';
import { faults } from './simulation/mutations/faults.js';

/** Tests of the packages and of the whole system, with the fault `FAULT` in the engine; an empty one: as it is. */
const { FAULT } = process.env;
const fault = faults.find(({ name }) => name === FAULT);
if (!fault && FAULT !== '') throw new Error(`FAULT has to be the name of a fault; it is ${FAULT}.`);

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { alias: sourceAliases },
  plugins: [
    {
      name: 'planted fault',
      enforce: 'pre',
      load: (path) => (fault && path === CORE + fault.file ? plant(fault) : null),
    },
  ],
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'tests/src/matrix/**'],
    testTimeout: 60_000,
    server: { deps: { inline: [/@verdant-web/] } },
  },
});
