// publint and arethetypeswrong on what would be published of every package, and that nothing of it runs when it is installed.
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
    noInstallScripts(tarball);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed = true;
    console.error(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? error}`);
  }
}
process.exitCode = failed ? 1 : 0;

/** npm runs these, and builds whatever has a binding.gyp. */
function noInstallScripts(tarball) {
  const files = execFileSync('tar', ['-tf', tarball], { encoding: 'utf8' }).split('\n');
  if (files.includes('package/binding.gyp'))
    throw new Error('It holds a binding.gyp, which npm would build.');
  const manifest = JSON.parse(
    execFileSync('tar', ['-xOf', tarball, 'package/package.json'], { encoding: 'utf8' }),
  );
  const found = ['preinstall', 'install', 'postinstall'].filter((script) => manifest.scripts?.[script]);
  if (found.length > 0) throw new Error(`It would run ${found.join(', ')} on whoever installs it.`);
}

function run(command, args) {
  execFileSync(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: 'pipe',
    env: { ...process.env, NO_COLOR: '1' },
  });
}
