import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether there is a C compiler, and a system whose calls `recorder.c` knows. */
export const canRecord = (): boolean =>
  process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;

/** Compiles `recorder.c` into a folder, and returns the path of what a process has to preload. */
export function compileRecorder(folder: string): string {
  const library = join(folder, 'recorder.so');
  const source = fileURLToPath(new URL('recorder.c', import.meta.url));
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', ['-O2', ...warnings, '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread']);
  return library;
}
