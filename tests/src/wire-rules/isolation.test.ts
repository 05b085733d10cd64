import { expect, test } from 'vitest';
import { init, remove, set } from './messages.js';
import { Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* Libraries are closed to each other (docs/security.md), from the wire. */
const server = sharedCli();

const CLAIMS = ['libraryId', 'library', 'lib', 'libraryID', 'library_id'];

test('[AUTH-17] a token opens its own library alone, whatever its messages, headers and paths name', async () => {
  const [mine, theirs] = [fresh(), fresh()];
  const victim = await new Peer(server, theirs, 'ann').connect();
  await victim.sync({ operations: [init('items/1', { secret: 'theirs' })] });
  victim.send('presence-update', { presence: { secret: 'theirs' } });
  await victim.fence();
  victim.forgetUnread();

  // The same user and replica id, and the same document, in a library of the attacker's own.
  const attacker = await new Peer(server, mine, 'ann', { id: victim.id }).connect();
  const naming = Object.fromEntries(CLAIMS.map((name) => [name, theirs]));
  const sync = attacker.syncMessage({ operations: [init('items/1', { secret: 'mine' })] });
  attacker.send('sync', { ...sync, ...naming });
  await attacker.take('sync-resp');
  attacker.send('op', { operations: [set('items/1', 'secret', 'forged'), remove('items/1')], ...naming });
  attacker.send('presence-update', { presence: { forged: true }, ...naming });
  attacker.send('ack', { timestamp: sync.timestamp, ...naming });
  const query = CLAIMS.map((name) => `${name}=${theirs}`).join('&');
  const answered = await fetch(`${server.base}/verdant?${query}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${attacker.token}`,
      'Content-Type': 'application/json',
      'X-Verdant-Library': theirs,
    },
    body: JSON.stringify({
      ...naming,
      messages: [{ ...attacker.syncMessage(), replicaId: attacker.id, ...naming }],
    }),
  });
  expect(await answered.text()).not.toContain('theirs');
  attacker.send('disconnecting', naming);
  await attacker.ended();

  await victim.fence();
  expect(victim.received.filter((message) => JSON.stringify(message).includes('forged'))).toEqual([]);
  expect(victim.unread('op-re')).toEqual([]);
  expect(victim.unread('presence-offline')).toEqual([]);
  expect(JSON.stringify(attacker.received)).not.toContain('theirs');
  const reader = await new Peer(server, theirs, 'bob').connect();
  const { operations, baselines } = await reader.sync();
  expect(JSON.stringify({ operations, baselines })).toMatch(/theirs/);
  expect(JSON.stringify({ operations, baselines })).not.toMatch(/mine|forged|delete/);
  for (const peer of [victim, reader]) peer.close();
});

test('[AUTH-17] files of another library are unknown, by whatever path they are asked for', async () => {
  const [mine, theirs] = [fresh(), fresh()];
  const body = new FormData();
  body.append('file', new File(['theirs'], 'a.txt', { type: 'text/plain' }));
  const victim = { Authorization: `Bearer ${tokenFor(server.base, theirs, 'ann')}` };
  const stored = await fetch(`${server.base}/verdant/files/f1`, { method: 'POST', headers: victim, body });
  expect(stored.status).toBe(200);

  const attacker = { Authorization: `Bearer ${tokenFor(server.base, mine, 'ann')}` };
  const paths = [
    'f1',
    `${theirs}/f1`,
    `..%2f${theirs}%2ff1`,
    `%2e%2e/${theirs}/f1`,
    `f1?libraryId=${theirs}`,
  ];
  for (const path of paths) {
    const response = await fetch(`${server.base}/verdant/files/${path}`, { headers: attacker });
    expect(response.status, path).toBe(404);
  }
});
