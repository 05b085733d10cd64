// Records the demo, as a terminal shows it, into docs/demo.svg. Needs `script` of util-linux, for a terminal.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Screen } from './screen.js';
import { animate } from './svg.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const target = fileURLToPath(new URL('../../../docs/demo.svg', import.meta.url));

const demo = spawn('script', ['-qefc', 'node --import tsx src/demo.ts', '/dev/null'], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(demo, 'exit');
const screen = new Screen();
let begin: number | undefined;
for await (const chunk of demo.stdout.setEncoding('utf8')) {
  begin ??= Date.now();
  screen.write(chunk, (Date.now() - begin) / 1_000);
}
const [code] = await ended;
if (code !== 0) throw new Error(`The demo ended with ${code}.`);
await writeFile(target, animate(screen.lines));
console.log(`Wrote ${target}`);
