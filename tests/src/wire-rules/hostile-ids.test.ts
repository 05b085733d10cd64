import { sqlShardStorage } from '@verdant-web/storage-sqlite';
import { describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from '../server.js';
import { undisturbed } from './bystanders.js';
import { documentsOf } from './documents.js';
import { init } from './messages.js';
import { Peer, readBody } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* Ids and names are what strangers choose. Each is refused clearly, or is its own thing and nobody else's. */
const server = sharedCli();

const NAMES = [
  '../x',
  '../../x',
  '..',
  '.',
  '/',
  '/etc/passwd',
  'a/b',
  'a\\b',
  '..\\x',
  'C:\\x',
  'C:',
  'CON',
  'con',
  'NUL.txt',
  'nul.txt',
  'COM1',
  'x.',
  'x',
  'X',
  ' x',
  'x ',
  '%2e%2e%2fx',
  '%',
  'a%00b',
  'a\u0000b',
  'a\u0000',
  'a\nb',
  '💚',
  'é',
  'e\u0301',
  '\ud800',
  '\udc00',
  '<script>',
  '"quoted"',
  "it's; DROP TABLE operations; --",
  '*',
  '?',
  '#',
  'a?b#c',
  '-rf',
  '~',
  '.verdant-lock',
  'x.sqlite',
  'x.sqlite-wal',
  '$(id)',
  'y'.repeat(255),
  'y'.repeat(256),
  'y'.repeat(10_000),
];

/** What is none cannot be in a URL; dots alone are path segments to `fetch` itself. */
const isUnicode = (text: string) => Buffer.from(text).toString() === text;
const isDots = (text: string) => text === '.' || text === '..';

async function expectKeptApart(app: { base: string }, prefix: string): Promise<void> {
  const taken: string[] = [];
  for (const name of NAMES) {
    const library = prefix + name;
    const ann = new Peer(app, library, 'ann');
    const operation = init('items/1', { library });
    const answer = await ann.post([ann.syncMessage({ operations: [operation] })]);
    if (answer.status === 200) taken.push(library);
    else {
      expect([400, 401, 413, 431], JSON.stringify(library).slice(0, 80)).toContain(answer.status);
      if (answer.status !== 431) {
        expect(answer.body).toEqual({
          code: expect.any(Number) as number,
          message: expect.any(String) as string,
        });
      }
    }
  }
  for (const library of taken) {
    const answer = await new Peer(app, library, 'bob').poll();
    expect(documentsOf(answer)).toEqual({ 'items/1': { library } });
  }
  // Nothing of the ordinary is refused.
  for (const name of ['x', 'X', 'a/b', 'CON', '💚', '../x']) expect(taken).toContain(prefix + name);
}

describe('library ids', () => {
  test('[NAME-5] through the command, in one database', () =>
    undisturbed(server, () => expectKeptApart(server, '')));

  test('[NAME-5] in one file each', async () => {
    const databasesDirectory = await temporaryFolder();
    await composed({ storage: sqlShardStorage({ databasesDirectory }) }, (app) =>
      undisturbed(app, () => expectKeptApart(app, '')),
    );
    await removeFolder(databasesDirectory);
  });

  test('of the auth route are those that it was asked for', async () => {
    for (const name of NAMES) {
      if (!isUnicode(name) || isDots(name)) continue;
      const response = await fetch(`${server.base}/auth/${encodeURIComponent(name)}?userId=ann`);
      const body = (await readBody(response)) as { accessToken?: string; code?: number };
      if (response.status === 200) {
        const claims = JSON.parse(Buffer.from(body.accessToken!.split('.')[1]!, 'base64url').toString()) as {
          lib: string;
        };
        expect(claims.lib).toBe(name);
      } else {
        expect([400, 404, 431], name.slice(0, 80)).toContain(response.status);
      }
    }
  });
});

describe('file ids and names', () => {
  const put = (token: string, id: string, name: string, text: string) => {
    const quoted = name.replaceAll('"', '%22').replaceAll('\n', '%0A').replaceAll('\r', '%0D');
    return fetch(`${server.base}/verdant/files/${encodeURIComponent(id)}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'multipart/form-data; boundary=b' },
      body: `--b\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"\r\nContent-Type: text/plain\r\n\r\n${text}\r\n--b--\r\n`,
    });
  };

  test('[FILE-4] are refused clearly, or found again under exactly themselves, their bytes too', () =>
    undisturbed(server, async (library) => {
      const token = tokenFor(server.base, library, 'ann');
      const headers = { Authorization: `Bearer ${token}` };
      const taken = new Map<string, string>();
      for (const [index, id] of NAMES.entries()) {
        if (!isUnicode(id) || isDots(id)) continue;
        const name = Buffer.from(NAMES[(index * 7) % NAMES.length]!).toString();
        const response = await put(token, id, name, `bytes of ${index}`);
        if (response.status === 200) taken.set(id, `bytes of ${index}`);
        else {
          expect([400, 404, 413, 431], id.slice(0, 80)).toContain(response.status);
          expect(await readBody(response)).toMatchObject({ code: expect.any(Number) as number });
        }
      }
      expect(taken.size).toBeGreaterThan(NAMES.length / 2);
      for (const [id, text] of taken) {
        const info = await fetch(`${server.base}/verdant/files/${encodeURIComponent(id)}`, { headers });
        expect(info.status, id).toBe(200);
        const file = (await info.json()) as { id: string; libraryId: string; url: string; remote: boolean };
        expect(file).toMatchObject({ id, libraryId: library, remote: true });
        const bytes = await fetch(file.url);
        expect(await bytes.text(), `${id} at ${file.url}`).toBe(text);
        expect(bytes.headers.get('x-content-type-options')).toBe('nosniff');
      }
    }));

  test('[FILE-4] of one library are not those of another', async () => {
    const first = tokenFor(server.base, fresh(), 'ann');
    const second = tokenFor(server.base, fresh(), 'ann');
    expect((await put(first, 'same', 'a.txt', 'first')).status).toBe(200);
    const info = await fetch(`${server.base}/verdant/files/same`, {
      headers: { Authorization: `Bearer ${second}` },
    });
    expect(info.status).toBe(404);
    expect(await info.json()).toMatchObject({ code: 4040 });
  });
});

test('[NAME-5] user ids of any kind are users of their own', () =>
  undisturbed(server, async () => {
    const library = fresh();
    const peers: Peer[] = [];
    for (const user of NAMES.filter((name) => name.length < 300)) {
      const peer = await new Peer(server, library, user, { id: fresh('r') }).connect();
      await peer.sync({ operations: [init(`items/${peers.length}`, {})] });
      peer.send('presence-update', { presence: { user } });
      await peer.take('presence-changed', ({ userInfo }) => userInfo.replicaId === peer.id);
      peers.push(peer);
    }
    const last = await new Peer(server, library, 'last').connect();
    const { peerPresence } = await last.sync();
    for (const { user, id } of peers) {
      expect(Object.getOwnPropertyDescriptor(peerPresence, user)?.value, JSON.stringify(user)).toMatchObject({
        id: user,
        replicaId: id,
        presence: { user },
      });
    }
    for (const peer of [...peers, last]) peer.close();
  }));
