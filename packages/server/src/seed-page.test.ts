import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  freePort,
  removeFolder,
  repository,
  type ServerProcess,
  startProcess,
} from './testing/server-process.js';
import {
  endpointOf,
  fetchToken,
  initialize,
  openSocket,
  postSync,
  sync,
  timestamp,
} from './testing/wire-client.js';

/** The documentation page, which lies beside the project where it is developed. */
const pageOf = (folder: string): string | undefined => {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.txt')) : [];
  return names
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .find((text) => text.includes(FIRST_LINE) && text.includes(AFTER_LAST_LINE));
};
const FIRST_LINE = "import { createHttpRouter, createNodeWebsocketHandler } from '@verdant-web/server/node';";
const AFTER_LAST_LINE = "Now, you might think that's a lot of work.";

/** The page's sample, with the two things filled in that it leaves open. */
const sampleIn = (page: string): string => {
  const code = page.slice(page.indexOf(FIRST_LINE), page.indexOf(AFTER_LAST_LINE));
  const session = 'const user = // your own session / auth logic here';
  expect(code).toContain(session);
  return [
    "import { Hono } from 'hono';",
    'const port = Number(process.env.PORT);',
    code.replace(session, "const user = ctx.req.query('user') ?? 'someone';"),
  ].join('\n');
};

const page = pageOf(join(repository, '../shared/seed'));
if (!page)
  console.warn(
    'NOT RUN: the documentation page is not here. Its copy in examples/quickstart is tested instead.',
  );
const sample = page
  ? sampleIn(page)
  : readFileSync(join(repository, 'examples/quickstart/src/server.ts'), 'utf8');

describe(
  page ? 'the sample of the documentation page' : 'the quick start example (the page is not here)',
  () => {
    let folder: string;
    let file: string;
    beforeAll(async () => {
      // In the package, so that the sample finds its dependencies.
      folder = await mkdtemp(fileURLToPath(new URL('../.seed-page-', import.meta.url)));
      file = join(folder, 'server.ts');
      await writeFile(file, sample);
    });
    afterAll(() => removeFolder(folder));

    test('compiles in strict TypeScript', { timeout: 60_000 }, () => {
      expect(problemsIn(file)).toEqual([]);
    });

    describe('runs:', () => {
      let server: ServerProcess;
      let port: number;
      beforeAll(async () => {
        port = await freePort();
        const env = { PORT: String(port), TOKEN_SECRET: 'the-secret-of-a-test-0123456789abcdef' };
        server = startProcess({ entry: file, cwd: folder, env });
        await server.says(`Verdant Server listening on http://localhost:${port}`);
      }, 30_000);
      afterAll(async () => {
        await server?.stop('SIGKILL');
      });
      const tokenFor = (user: string) => fetchToken(`http://localhost:${port}/auth/a-library?user=${user}`);

      test('two users sync, over HTTP and over a socket', async () => {
        const alice = await tokenFor('alice');
        expect(endpointOf(alice)).toBe(`http://127.0.0.1:${port}/verdant`);
        const founded = await postSync(alice, [sync('a', [initialize('items/1', { id: '1' })])]);
        expect(founded).toMatchObject([{ type: 'sync-resp', overwriteLocalData: false }]);

        const socket = await openSocket(await tokenFor('bob'));
        socket.send({ type: 'presence-update', replicaId: 'b', presence: {} });
        socket.send(sync('b'));
        expect((await socket.got('sync-resp')).operations).toMatchObject([{ oid: 'items/1' }]);

        const operation = initialize('items/2', { id: '2' });
        await postSync(alice, [
          { type: 'op', replicaId: 'a', timestamp: timestamp(), operations: [operation] },
        ]);
        expect((await socket.got('op-re')).operations).toEqual([operation]);
        socket.close();
      });

      test('a file comes from one to the other', async () => {
        const form = new FormData();
        form.append('file', new File(['hello'], 'höllo wörld.txt', { type: 'text/plain' }));
        const alice = await tokenFor('alice');
        const files = `${endpointOf(alice)}/files/f1`;
        const uploaded = await fetch(files, {
          method: 'POST',
          headers: { authorization: `Bearer ${alice}` },
          body: form,
        });
        expect(await uploaded.json()).toEqual({ success: true });
        const bob = { authorization: `Bearer ${await tokenFor('bob')}` };
        const info = (await (await fetch(files, { headers: bob })).json()) as { url: string; name: string };
        expect(info).toMatchObject({
          id: 'f1',
          libraryId: 'a-library',
          name: 'höllo wörld.txt',
          remote: true,
        });
        expect(await (await fetch(info.url)).text()).toBe('hello');
      });
    });

    test('without its secret says so at start', { timeout: 30_000 }, async () => {
      const env = { PORT: '0', TOKEN_SECRET: '' };
      const server = startProcess({ entry: file, cwd: folder, env });
      expect(await server.ends()).not.toBe(0);
      expect(server.output).toContain('secret');
    });
  },
);

/** What the compiler has to say on one file, with the settings of this repository, which are strict. */
const problemsIn = (file: string): string[] => {
  const configFile = join(repository, 'tsconfig.base.json');
  const { config } = ts.readConfigFile(configFile, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [file] }, ts.sys, repository);
  const typeRoots = [fileURLToPath(new URL('../node_modules/@types', import.meta.url))];
  const program = ts.createProgram([file], { ...options, typeRoots, noEmit: true });
  return ts
    .getPreEmitDiagnostics(program)
    .map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
};
