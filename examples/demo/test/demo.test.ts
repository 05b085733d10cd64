import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('everything arrives, and it exits with 0', async () => {
  const { exitCode, output } = await run();
  expect(output).toMatch(/adds Tomatoes +─+▶ +has Tomatoes\n/);
  expect(output).toMatch(/has Tomatoes, Bread +◀─+ +adds Bread\n/);
  expect(output).toMatch(/sees Ben at Bread +◀─+ +has the cursor at Bread\n/);
  expect(output).toMatch(/adds a photo of Bread +─+▶ +has it, byte for byte\n/);
  expect(output).toMatch(/has Plums, Bread +has ✓ Tomatoes, Bread, Jam\n/);
  expect(output).toMatch(/is back +─+▶ +has ✓ Plums, Bread, Jam\n/);
  expect(output).toMatch(/has ✓ Plums, Bread, Jam +◀─+ +sends what Ada missed\n/);
  expect(output).toMatch(/✔ Everything arrived\.\n$/m);
  expect(exitCode).toBe(0);
  expect(output, 'colours are for terminals').not.toContain('\x1b');
});

test('it says what did not arrive, and exits with 1', async () => {
  const { exitCode, output } = await run((demo) => {
    for (const server of childrenOf(demo)) process.kill(server, 'SIGKILL');
  });
  expect(output).toContain('✘ Not within 10 s: Ada and Ben are connected.\n');
  expect(exitCode).toBe(1);
});

/** Runs the demo; `onServer` is called as soon as its server is up, before any client is. */
async function run(onServer: (demo: ChildProcess) => void = () => {}) {
  const demo = spawn(process.execPath, ['--import', 'tsx', 'src/demo.ts'], { cwd: folder });
  let output = '';
  demo.stdout.on('data', (text) => {
    if (!output) onServer(demo);
    output += text;
  });
  demo.stderr.on('data', (text) => {
    output += text;
  });
  const [exitCode] = await once(demo, 'close');
  return { exitCode, output };
}

const childrenOf = ({ pid }: ChildProcess): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
