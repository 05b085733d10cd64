// publint and arethetypeswrong on what would be published of every package.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const out = mkdtempSync(join(tmpdir(), 'verdant-packed-'));
let failed = false;
for (const name of readdirSync(join(root, 'packages'))) {
  const cwd = join(root, 'packages', name);
  try {
    execFileSync('pnpm', ['pack', '--pack-destination', out], { cwd, stdio: 'pipe' });
    const tarball = join(
      out,
      readdirSync(out).find((file) => file.startsWith(`verdant-web-${name}-0`)),
    );
    run('publint', ['run', tarball, '--strict'], root);
    run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'], root);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed = true;
    console.error(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? error}`);
  }
}
process.exitCode = failed ? 1 : 0;

function run(command, args, cwd) {
  execFileSync(join(root, 'node_modules/.bin', command), args, {
    cwd,
    stdio: 'pipe',
    env: { ...process.env, NO_COLOR: '1' },
  });
}
