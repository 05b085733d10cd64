import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './peer.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'verdant-cloudflare-'));
let worker: ChildProcess;
let base: string;

beforeAll(async () => {
  worker = start();
  base = await addressOf(worker);
});

afterAll(async () => {
  if (worker.exitCode === null) {
    const gone = once(worker, 'close');
    // All of it: a shell, wrangler, and workerd.
    process.kill(-worker.pid!, 'SIGTERM');
    await gone;
  }
  rmSync(data, { recursive: true, force: true });
});

test('what one device writes reaches another, over sockets', async () => {
  const ada = new Peer(base, 'shared', 'ada');
  const ben = new Peer(base, 'shared', 'ben');
  try {
    expect(await ada.connect()).toMatchObject({ type: 'sync-resp', operations: [] });
    expect(await ben.connect()).toMatchObject({ type: 'sync-resp', operations: [] });
    ada.create('todos/1', { id: '1', text: 'Water the plants' });
    const heard = await ben.next(({ type }) => type === 'op-re');
    expect(heard.operations).toMatchObject([
      { oid: 'todos/1', data: { op: 'initialize', value: { text: 'Water the plants' } } },
    ]);
    await ada.next(({ type }) => type === 'server-ack');
  } finally {
    ada.close();
    ben.close();
  }
});

test('over HTTP, and not in another library', async () => {
  const ada = new Peer(base, 'polled', 'ada');
  await ada.post([ada.initialize('todos/1', { id: '1' })]);
  const synced = async (library: string) =>
    (await new Peer(base, library, 'ben').post()).find(({ type }) => type === 'sync-resp')?.operations;
  expect(await synced('polled')).toMatchObject([{ oid: 'todos/1' }]);
  expect(await synced('another')).toEqual([]);
});

/** As `pnpm start` does, on a free port. */
function start(): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return spawn(`${scripts.start} --port 0 --inspector-port 0 --persist-to ${data}`, {
    cwd: folder,
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(folder, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
      NO_COLOR: '1',
      // What it would ask the network for at each start.
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_LOG_PATH: join(data, 'logs'),
      WRANGLER_REGISTRY_PATH: join(data, 'registry'),
    },
  });
}

/** Where it is reached, once it says so. */
function addressOf(program: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`${why}\n${output}`));
    const deadline = setTimeout(() => fail('It was not ready within 45 s.'), 45_000);
    const read = (text: Buffer) => {
      output += text;
      const [, address] = /Ready on (http:\/\/\S+)\s/.exec(output) ?? [];
      if (address === undefined) return;
      clearTimeout(deadline);
      resolve(address);
    };
    program.stdout!.on('data', read);
    program.stderr!.on('data', read);
    program.once('close', (code) => fail(`It ended with ${code}.`));
  });
}
