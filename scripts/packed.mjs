import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const root = new URL('..', import.meta.url).pathname;

/** Packs every package as it would be published. Returns the tarballs by the packages' names. */
export function packAll(folder) {
  execFileSync('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  });
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.tgz'))
      .map((file) => [
        file.replace(/^verdant-web-(.+)-\d+\.\d+\.\d+.*\.tgz$/, '@verdant-web/$1'),
        join(folder, file),
      ]),
  );
}
