import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import type { createVerdant } from '@verdant-web/core';
import * as protocol from '@verdant-web/protocol';
import * as tokens from '@verdant-web/tokens';
import { build } from 'vite';
import { CORE, type Fault, plant } from './fault.js';

/** What the engine is made of besides its own sources: shared with the simulation, so that an error is of one class. */
const PARTS: Record<string, unknown> = { '@verdant-web/protocol': protocol, '@verdant-web/tokens': tokens };

const nodeRequire = createRequire(import.meta.url);

/** The engine, built anew from its sources with a fault in it; null: as it is. */
export async function engineWith(fault: Fault | null): Promise<typeof createVerdant> {
  const exports = {};
  const require = (name: string) => PARTS[name] ?? nodeRequire(name);
  compileFunction(await bundle(fault), ['exports', 'require'])(exports, require);
  return (exports as { createVerdant: typeof createVerdant }).createVerdant;
}

async function bundle(fault: Fault | null): Promise<string> {
  const planted = fault && { path: CORE + fault.file, source: plant(fault) };
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [
      {
        name: 'planted fault',
        enforce: 'pre',
        load: (path) => (planted?.path === path ? planted.source : null),
      },
    ],
    build: {
      write: false,
      minify: false,
      target: 'node20',
      ssr: `${CORE}index.ts`,
      rolldownOptions: { external: Object.keys(PARTS), output: { format: 'cjs' } },
    },
  });
  const [first] = Array.isArray(result) ? result : [result];
  if (!first || !('output' in first)) throw new Error('vite built nothing');
  return first.output[0].code;
}
