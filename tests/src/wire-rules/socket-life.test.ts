import { describe, expect, test, vi } from 'vitest';
import { waitFor } from '../until.js';
import { set, stamp } from './messages.js';
import { founder, joiner, Peer } from './peer.js';
import { frame, RawSocket } from './raw-socket.js';
import { composed, sharedCli } from './servers.js';
import { fresh, seconds, tokenFor } from './tokens.js';

/* How sockets end: their token, their peer, their reader. And what they cost. */
const server = sharedCli();

describe('sockets', () => {
  test('[SOCK-7] [AUTH-5] do not outlive their token, and the tolerance of the verifier', async () => {
    const library = fresh();
    const token = tokenFor(server.base, library, 'ann', { exp: seconds() - 2 });
    const ann = await new Peer(server, library, 'ann', { token }).connect();
    await ann.sync();
    await ann.ended(10_000);
    await expect(ann.connect()).rejects.toThrow('401');
  });

  test('[SOCK-8] of a peer that is dead are noticed, and its user goes offline', async () => {
    await composed({ websocket: { pingIntervalMs: 150 } }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      // It answers no ping.
      const dead = await RawSocket.upgraded(app.port, tokenFor(app.base, library, 'dead'));
      dead.write(frame(JSON.stringify({ type: 'presence-update', replicaId: 'dead-1', presence: {} })));
      await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'dead');
      const gone = await ann.take('presence-offline', ({ userId }) => userId === 'dead');
      expect(gone.replicaId).toBe('dead-1');
      ann.close();
      dead.destroy();
    });
  });

  test('[LIMIT-9] of a slow reader are closed when too much waits for it; the others go on', async () => {
    await composed({ limits: { maxSocketBufferBytes: 2_000_000 } }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      const slow = await RawSocket.upgraded(app.port, tokenFor(app.base, library, 'slow'));
      slow.write(frame(JSON.stringify({ type: 'presence-update', replicaId: 'slow-1', presence: {} })));
      const sync = { type: 'sync', replicaId: 'slow-1', timestamp: stamp(), operations: [], baselines: [] };
      slow.write(frame(JSON.stringify({ ...sync, schemaVersion: 1, since: null, resyncAll: true })));
      await waitFor(() => slow.text.includes('"sync-resp"'));
      slow.socket.pause();
      const large = 'x'.repeat(200_000);
      const offline = bob.take('presence-offline', ({ userId }) => userId === 'slow', 20_000);
      let gone = false;
      void offline.then(() => {
        gone = true;
      });
      for (let i = 0; i < 200 && !gone; i++) await ann.write(set('items/1', 'large', large + i));
      await offline;
      slow.destroy();
      for (const peer of [ann, bob]) peer.close();
    });
  });

  test('[WORK-2] of many readers cost one serialisation of a message, not one each', async () => {
    await composed({}, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const readers: Peer[] = [];
      for (let i = 0; i < 20; i++) readers.push(await joiner(app, library, `reader-${i}`));
      const marker = fresh('marker');
      const frameText = JSON.stringify({
        type: 'op',
        replicaId: ann.id,
        timestamp: stamp(),
        operations: [set('items/1', 'title', marker)],
      });
      const spy = vi.spyOn(JSON, 'stringify');
      try {
        ann.raw(frameText);
        await Promise.all(readers.map((reader) => reader.take('op-re')));
        const made = spy.mock.results.filter(
          ({ type, value }) => type === 'return' && String(value).includes(marker),
        );
        expect(made.length).toBeLessThan(6);
      } finally {
        spy.mockRestore();
      }
      for (const peer of [ann, ...readers]) peer.close();
    });
  });
});
