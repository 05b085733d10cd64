import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startProgram, waitFor } from './program.mjs';

/** Where samples serve; they are run on a free port. */
const PORTS = /\b(?:3000|3242)\b/g;

/** The sample's text, on a port of its own. */
export async function onFreePort(code) {
  const port = await freePort();
  return { port, code: code.replaceAll(PORTS, String(port)) };
}

/**
 * Run a compiled sample in a folder of its own. One that serves has to answer, and to end by SIGTERM, with 0 where it
 * closes on signals; any other has to end by itself. Resolves to what was wrong, or null.
 */
export async function runSample(project, { file, code, port, isTest }) {
  const cwd = isTest ? project : mkdtempSync(join(project, 'run-'));
  const bin = join(project, 'node_modules/.bin');
  const program = isTest
    ? startProgram(join(bin, 'vitest'), ['run', file], { cwd })
    : startProgram(process.execPath, ['--import', 'tsx', file], { cwd });
  const serves = /\bserve\(/.test(code);
  await waitFor(async () => program.exit !== null || (serves && (await answers(port))), 120_000).catch(
    () => {},
  );
  if (program.exit !== null) {
    return program.exit.code === 0 && !serves
      ? null
      : `ended with ${JSON.stringify(program.exit)}\n${program.output}`;
  }
  if (!serves) {
    program.kill('SIGKILL');
    return `did not end by itself\n${program.output}`;
  }
  const exit = await program.stop();
  const isClean = code.includes('closeOnSignals') ? exit.code === 0 : exit.signal === 'SIGTERM';
  return isClean ? null : `was to stop on SIGTERM, but ended with ${JSON.stringify(exit)}\n${program.output}`;
}

export const answers = (port) =>
  fetch(`http://localhost:${port}/`).then(
    () => true,
    () => false,
  );

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
