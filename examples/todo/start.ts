// Starts verdant-server, and Vite with the app. Ctrl-C stops both.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, type ViteDevServer } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Where the page is served. */
const port = Number(process.env.PORT ?? 5173);
/** Where the page syncs. */
const serverPort = Number(process.env.VERDANT_PORT ?? 3242);
const dataFolder = resolve(process.env.DATA_FOLDER ?? join(here, 'data'));

const server = await startServer();
const ended = once(server, 'exit');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill());
const origin = await originOf(server);
const page = await startPage(origin);

console.log(`
  The list   ${page.resolvedUrls?.local[0]}
  Sync       ${origin}
  Data       ${dataFolder}

  Open the list in a second window as someone else, with ?user=<name>. Ctrl-C stops.
`);

// It ends when it is told to, with 0, or has said on its way out what went wrong.
const [exitCode] = await ended;
await page.close();
process.exit(exitCode ?? 1);

async function startServer(): Promise<ChildProcess> {
  const command = join(here, 'node_modules/@verdant-web/server/dist/cli.js');
  if (!existsSync(command)) {
    fail('verdant-server is not built yet. Run "pnpm build" in the root of the repository.');
  }
  await mkdir(dataFolder, { recursive: true });
  const data = ['--database', join(dataFolder, 'todo.sqlite'), '--files', join(dataFolder, 'files')];
  return spawn(process.execPath, [command, '--port', String(serverPort), ...data], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A terminal sends Ctrl-C to a whole group, and a server that is told twice to stop does not finish what it does.
    detached: true,
  });
}

/** The address at which the server says that it listens. */
async function originOf(server: ChildProcess): Promise<string> {
  let output = '';
  for await (const chunk of server.stdout!.iterator({ destroyOnReturn: false })) {
    output += chunk;
    const [, origin] = /listening on (http:\S+)/.exec(output) ?? [];
    if (origin) return origin;
  }
  // It has said why.
  return fail(
    `The todo example needs verdant-server. VERDANT_PORT=${serverPort + 1} has it use another port.`,
  );
}

async function startPage(origin: string): Promise<ViteDevServer> {
  // Vite hands variables of this prefix to the page.
  process.env.VITE_SYNC_ORIGIN = origin;
  try {
    const page = await createServer({ root: here, server: { port, strictPort: true } });
    return await page.listen();
  } catch (error) {
    server.kill();
    return fail(
      `The page cannot be served: ${(error as Error).message}. PORT=${port + 1} uses another port.`,
    );
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
