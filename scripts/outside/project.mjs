import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAll, root } from '../packed.mjs';

/** What the samples and the quick start import besides our packages, and what they are compiled and run with. */
const FROM_THE_REGISTRY = [
  '@hono/node-server',
  '@types/better-sqlite3',
  '@types/node',
  '@types/ws',
  '@verdant-web/store',
  'better-sqlite3',
  'fake-indexeddb',
  'hono',
  'jose',
  'pino',
  'tsx',
  'typescript',
  'vitest',
  'ws',
];

/** An empty project outside the workspace, with our packages installed from their tarballs, as a stranger has them. */
export function createProject() {
  const folder = mkdtempSync(join(tmpdir(), 'verdant-outside-'));
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  const packed = Object.fromEntries(
    [...packAll(tarballs)].map(([name, tarball]) => [name, `file:${tarball}`]),
  );
  const catalog = readCatalog();
  write(folder, 'package.json', {
    private: true,
    type: 'module',
    dependencies: {
      ...packed,
      ...Object.fromEntries(FROM_THE_REGISTRY.map((name) => [name, catalog.get(name)])),
    },
  });
  // Dependencies among our packages are on versions that no registry has yet.
  write(folder, 'pnpm-workspace.yaml', {
    overrides: packed,
    allowBuilds: { 'better-sqlite3': true, bufferutil: false, esbuild: false },
  });
  copyFileSync(join(root, '.pnpmfile.cjs'), join(folder, '.pnpmfile.cjs'));
  execFileSync('pnpm', ['install', '--no-frozen-lockfile'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return folder;
}

/** The versions that the workspace uses. */
function readCatalog() {
  const [, catalog] = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split('\ncatalog:\n');
  return new Map(
    [...catalog.matchAll(/^ {2}'?([^':\n]+)'?: (\S+)$/gm)].map(([, name, version]) => [name, version]),
  );
}

// JSON is YAML.
const write = (folder, name, content) => writeFileSync(join(folder, name), JSON.stringify(content, null, 2));
