import { describe, expect, test } from 'vitest';
import { founder, joiner, Peer } from './peer.js';
import { composed } from './servers.js';
import { fresh } from './tokens.js';

/* Profiles that could not be had, and presence of callers that are gone. */

describe('profiles', () => {
  test('[PRES-12] whose look-up failed are looked up again', async () => {
    let fails = true;
    const profiles = {
      get: async (userId: string) => {
        if (fails) throw new Error('the directory is down');
        return { id: userId, name: 'Known' };
      },
    };
    await composed({ profiles }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      bob.send('presence-update', { presence: {} });
      const first = await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'bob');
      expect(first.userInfo.profile).toEqual({ id: 'bob' });
      fails = false;
      bob.close();
      await ann.take('presence-offline');
      const again = await joiner(app, library, 'bob', { id: bob.id });
      again.send('presence-update', { presence: {} });
      const second = await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'bob');
      expect(second.userInfo.profile).toEqual({ id: 'bob', name: 'Known' });
      for (const peer of [ann, again]) peer.close();
    });
  });
});

describe('presence of HTTP callers', () => {
  test('[PRES-7] [PRES-8] ends with its lease, the others are told, and nobody is shown it afterwards', async () => {
    await composed({ presenceLeaseMs: 400 }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const poller = new Peer(app, library, 'poller');
      await poller.poll();
      await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'poller');
      const gone = await ann.take('presence-offline', ({ userId }) => userId === 'poller');
      expect(gone.replicaId).toBe(poller.id);
      const bob = await new Peer(app, library, 'bob').connect();
      expect(Object.keys((await bob.sync()).peerPresence)).not.toContain('poller');
      for (const peer of [ann, bob]) peer.close();
    });
  });
});
