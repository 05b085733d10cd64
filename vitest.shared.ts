import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const tsconfig = JSON.parse(readFileSync(new URL('./tsconfig.base.json', import.meta.url), 'utf8'));

/** Tests run on the sources of all packages, so that nothing has to be built first. */
export const sourceAliases = Object.entries(tsconfig.compilerOptions.paths as Record<string, [string]>).map(
  ([name, [path]]) => ({
    find: new RegExp(`^${name}$`),
    replacement: fileURLToPath(new URL(path, import.meta.url)),
  }),
);
