// What the registry knows of the versions that packages are published with: fails on what is high or critical. A registry that
// does not answer is no reason to stop, but is said so that nobody takes silence for an audit.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What `pnpm audit --json` printed, judged: how many are high or critical, and null where that is no answer. */
export function seriousIn(output) {
  try {
    const { high, critical } = JSON.parse(output).metadata.vulnerabilities;
    return Number.isInteger(high + critical) ? high + critical : null;
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

function main() {
  const { stdout, stderr } = spawnSync('pnpm', ['audit', '--prod', '--json'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const serious = seriousIn(stdout);
  if (serious === null) {
    console.warn(`\n*** Dependencies are NOT audited: the registry gave no answer. ***\n${stdout}${stderr}`);
  } else if (serious > 0) {
    console.error(`${serious} weaknesses that are high or critical are known: pnpm audit --prod\n${stdout}`);
    process.exitCode = 1;
  } else {
    console.log('Nothing high or critical is known of any dependency.');
  }
}
