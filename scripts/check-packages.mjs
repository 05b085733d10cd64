// publint and arethetypeswrong on what would be published of every package.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAll, root } from './packed.mjs';

const packed = packAll(mkdtempSync(join(tmpdir(), 'verdant-packed-')));
let failed = false;
for (const [name, tarball] of packed) {
  try {
    run('publint', ['run', tarball, '--strict']);
    run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii']);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed = true;
    console.error(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? error}`);
  }
}
process.exitCode = failed ? 1 : 0;

function run(command, args) {
  execFileSync(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: 'pipe',
    env: { ...process.env, NO_COLOR: '1' },
  });
}
