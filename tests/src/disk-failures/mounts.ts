import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

/** Whether this process may mount file systems. */
const canMount = ((): boolean => {
  const place = mkdtempSync(join(tmpdir(), 'verdant-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place], { stdio: 'ignore' });
    execFileSync('umount', [place], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
})();

/** Whether tests that need mounts run: where there are none that is said, and in CI they fail. */
export const testsMounts = canMount || Boolean(process.env.CI);
if (!canMount)
  console.warn('\n*** Full and read-only disks are NOT tested: that needs mount, so Linux and root. ***\n');

/** A disk of some megabytes, which goes with the test. */
export function smallDisk(megabytes: number) {
  if (!canMount) expect.fail('this process cannot mount a disk');
  const path = mkdtempSync(join(tmpdir(), 'verdant-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', path]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true });
  });
  const filler = join(path, 'filler');
  return {
    path,
    /** Somebody else takes all the room there is. */
    fill() {
      for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
  };
}

/** Nobody may write to a file, until the returned function is called. */
export function makeReadOnly(path: string): () => void {
  if (!existsSync(path)) throw new Error(`There is no ${path}`);
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0o444);
    return () => chmodSync(path, 0o644);
  }
  // Root may write to what is only marked so.
  execFileSync('mount', ['--bind', path, path]);
  execFileSync('mount', ['-o', 'remount,ro,bind', path]);
  // The server may have it open.
  return () => execFileSync('umount', ['--lazy', path]);
}
