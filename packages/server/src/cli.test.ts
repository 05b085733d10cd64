import { copyFile, readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  cliSource,
  freePort,
  removeFolder,
  repository,
  type ServerProcess,
  startProcess,
  temporaryFolder,
} from './testing/server-process.js';
import { endpointOf, fetchToken, initialize, openSocket, postSync, sync } from './testing/wire-client.js';

const started: ServerProcess[] = [];
let folder: string;
const start = (args: string[], env: Record<string, string> = {}) => {
  const server = startProcess({ entry: cliSource, cwd: folder, args, env });
  started.push(server);
  return server;
};
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  for (const server of started.splice(0)) if (server.exitCode === undefined) await server.stop('SIGKILL');
});
afterAll(() => removeFolder(folder));

describe('verdant-server', { timeout: 40_000 }, () => {
  test('serves, says how to connect, and keeps what it acknowledged over a restart', async () => {
    const port = await freePort();
    const args = ['--port', String(port)];
    const first = start(args);
    await first.says('Files:');
    expect(first.output).toContain(`cliSync('<library id>', { port: ${port} })`);
    expect(first.output).toContain(`http://localhost:${port}/auth/<library id>?userId=<user id>`);
    expect(first.output).toContain('Not for production');

    const token = await fetchToken(`http://localhost:${port}/auth/lib?userId=u`);
    expect(endpointOf(token)).toBe(`http://localhost:${port}/verdant`);
    await postSync(token, [sync('a', [initialize('items/1', { id: '1' })])]);
    const socket = await openSocket(token);
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(first.errors).toBe('');
    socket.close();

    const second = start(args);
    await second.says('Files:');
    const messages = await postSync(token, [sync('b')]);
    expect(messages).toMatchObject([{ type: 'sync-resp', operations: [{ oid: 'items/1' }] }]);
    expect(await second.stop('SIGINT')).toBe(0);
  });

  test('migrates the database of the original command, says so, and keeps a copy', async () => {
    const database = join(folder, 'original.sqlite');
    await copyFile(join(repository, 'tests/fixtures/original-2.1.2.sqlite'), database);
    const port = await freePort();
    const server = start(['--port', String(port), '--database', database]);
    await server.says('Files:');
    expect(server.output).toContain('A database of the original server is migrated.');
    const token = await fetchToken(`http://localhost:${port}/auth/shared-list?userId=u`);
    const [answer] = await postSync(token, [sync('a')]);
    expect(JSON.stringify(answer)).toContain('oat milk');
    expect((await readdir(folder)).filter((name) => name.startsWith('original.sqlite.backup-'))).toHaveLength(
      1,
    );
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  test('is reached at both addresses of localhost, by pages of this machine; sockets at other paths, and of other pages, are refused', async () => {
    const port = await freePort();
    const server = start(['--port', String(port), '--origin', 'https://app.example']);
    await server.says('Files:');
    const reached = await Promise.allSettled(
      ['127.0.0.1', '[::1]', 'localhost'].map(async (name) => {
        const token = await fetchToken(`http://${name}:${port}/auth/lib?userId=u`);
        expect(endpointOf(token)).toBe(`http://${name}:${port}/verdant`);
        (await openSocket(token)).close();
      }),
    );
    expect(reached[0]!.status).toBe('fulfilled');
    // A machine without IPv6 has only the one.
    if (await has('::1')) expect(reached[1]!.status).toBe('fulfilled');
    expect(reached[2]!.status).toBe('fulfilled');
    expect(await upgradeStatus(port, '/elsewhere')).toBe(404);
    expect(await upgradeStatus(port, '/verdant', 'http://localhost:5173')).toBe(401);
    expect(await upgradeStatus(port, '/verdant', 'https://evil.example')).toBe(403);
  });

  test('takes its port and secret from the environment, its folders from options', async () => {
    const port = await freePort();
    const env = { VERDANT_PORT: String(port), VERDANT_SECRET: 'a-secret-of-the-environment-0123456789' };
    const server = start(['--database', 'a/b/my.sqlite', '--files', 'c/d'], env);
    await server.says(join(folder, 'a/b/my.sqlite'));
    expect(server.output).not.toContain('everyone knows');
    expect((await fetch(`http://localhost:${port}/auth/lib?userId=u`)).status).toBe(200);
  });
});

describe('verdant-server ends with one clear line', { timeout: 40_000 }, () => {
  const problem = async (args: string[], env: Record<string, string> = {}) => {
    const server = start(args, env);
    expect(await server.ends()).toBe(1);
    expect(server.errors.trim().split('\n')).toHaveLength(1);
    expect(server.errors).toMatch(/^verdant-server: /);
    return server.errors;
  };

  test('where its port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    expect(await problem(['--port', String(port)])).toContain(`Port ${port} is in use`);
    other.close();
  });

  test('where an option is unknown', async () => {
    expect(await problem(['--prot', '1'])).toContain("'--prot'");
  });

  test('where its folder cannot be written to', async () => {
    expect(await problem(['--files', '/dev/null/x'])).toContain('/dev/null/x');
    expect(await problem(['--database', '/proc/nowhere/x.sqlite'])).toContain('/proc/nowhere');
  });

  test('where its secret is too short', async () => {
    expect(await problem([], { VERDANT_SECRET: 'short' })).toContain('secret');
  });
});

/** How an upgrade at that path is answered. */
const upgradeStatus = (port: number, path: string, origin?: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      ...(origin && { origin }),
    };
    get({ port, path, headers }, (response) => resolve(response.statusCode)).on('error', reject);
  });

const has = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(0, address, () => probe.close(() => resolve(true)));
  });
