import { describe, expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { init, ORIGINATOR, privateTo, privateToLatin1, push, ref, remove, set, stamp } from './messages.js';
import { founder, joiner, kinds, Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { fresh } from './tokens.js';

/* Private documents (docs/protocol.md), from the wire. */
const server = sharedCli();

/** Ann on two devices and Bob, in a library that Ann founded. */
async function trio(user = 'ann') {
  const library = fresh();
  const ann = await founder(server, library, user);
  const phone = await joiner(server, library, user);
  const bob = await joiner(server, library, 'bob');
  /** Everything that was written before has come to everyone it may come to. */
  const fence = async () => {
    const marker = set('items/1', 'marker', stamp());
    await ann.write(marker);
    for (const peer of [phone, bob]) {
      await peer.take('op-re', ({ operations }) =>
        operations.some((one) => one.timestamp === marker.timestamp),
      );
    }
  };
  const close = () => {
    for (const peer of [ann, phone, bob]) peer.close();
  };
  return { library, ann, phone, bob, fence, close };
}

describe('a private document', () => {
  test.each([
    ['written by a browser, in Latin-1', 'björn', privateToLatin1('björn')],
    ['written by a server, in UTF-8', 'björn', privateTo('björn')],
    ['of a user whose id is no Latin-1', 'анна', privateTo('анна')],
    ['of a user whose id holds colons', 'urn:user:7', privateTo('urn:user:7')],
  ])('[PRIV-1] [PRIV-3] %s, reaches the devices of its user and nobody else', async (_, user, authz) => {
    const { library, ann, phone, bob, fence, close } = await trio(user);
    await ann.write(init('items/p', { secret: 1 }, authz));
    await fence();
    expect(JSON.stringify(phone.received)).toContain('secret');
    expect(JSON.stringify(bob.received)).not.toContain('secret');
    const tablet = await joiner(server, library, user);
    expect(JSON.stringify(tablet.received)).toContain('secret');
    const cem = await joiner(server, library, 'cem');
    expect(JSON.stringify(cem.received)).not.toContain('secret');
    tablet.close();
    cem.close();
    close();
  });

  test.each(['in a sync', 'in an op'])(
    '[PRIV-2] of the constant originator is rewritten to its author, %s',
    async (way) => {
      const { library, ann, phone, bob, fence, close } = await trio();
      const operation = init('items/p', { secret: 1 }, ORIGINATOR);
      if (way === 'in an op') await ann.write(operation);
      else await ann.sync({ since: stamp(), operations: [operation] });
      await fence();
      const shown = phone.received.flatMap((message) => (message.type === 'op-re' ? message.operations : []));
      const secret = shown.find(({ oid }) => oid === 'items/p');
      expect(Buffer.from(secret?.authz ?? '', 'base64').toString()).toBe('u:ann:*');
      expect(JSON.stringify(bob.received)).not.toContain('secret');
      const tablet = await joiner(server, library, 'ann');
      expect(JSON.stringify(tablet.received)).toContain('secret');
      expect(JSON.stringify(tablet.received)).not.toContain(ORIGINATOR);
      tablet.close();
      close();
    },
  );

  test('[PRIV-2] of a founding sync is rewritten too, in operations and in baselines', async () => {
    const library = fresh();
    const ann = await new Peer(server, library, 'ann').connect();
    await ann.sync({
      operations: [init('items/p', { secret: 1 }, ORIGINATOR)],
      baselines: [
        {
          oid: 'items/q',
          timestamp: stamp(),
          snapshot: { secret: 2, in: ref('items/q:n') },
          authz: ORIGINATOR,
        },
        { oid: 'items/q:n', timestamp: stamp(), snapshot: { secret: 3 } },
        { oid: 'items/open', timestamp: stamp(), snapshot: { open: true } },
      ],
    });
    const bob = await new Peer(server, library, 'bob').connect();
    const seen = await bob.sync();
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect(seen.baselines.map(({ oid }) => oid)).toEqual(['items/open']);
    const phone = await new Peer(server, library, 'ann').connect();
    const own = await phone.sync();
    expect(own.baselines.map(({ oid }) => oid).sort()).toEqual(['items/open', 'items/q', 'items/q:n']);
    expect(JSON.stringify(own)).not.toContain(ORIGINATOR);
    for (const peer of [ann, bob, phone]) peer.close();
  });

  test('[PRIV-4] hands its access down to nested objects, also from the order nested first', async () => {
    const { library, ann, phone, bob, fence, close } = await trio();
    await ann.write(
      init('items/p:list', ['secret item']),
      init('items/p', { id: 'p', list: ref('items/p:list') }, privateTo('ann')),
      push('items/p:list', 'secret pushed'),
    );
    await fence();
    expect(JSON.stringify(bob.received)).not.toContain('secret');
    expect(JSON.stringify(phone.received)).toContain('secret pushed');
    const cem = await joiner(server, library, 'cem');
    expect(JSON.stringify(cem.received)).not.toContain('secret');
    cem.close();
    close();
  });

  test('[PRIV-3] stays private when it has been folded', async () => {
    const { library, ann, phone, bob, fence, close } = await trio();
    await ann.write(init('items/p', { secret: 1 }, privateTo('ann')), init('items/p:n', { secret: 2 }));
    for (let i = 0; i < 10; i++) await fence();
    let baselines: string[] = [];
    let lookAgain = 0;
    await waitFor(
      async () => {
        if (Date.now() < lookAgain) return false;
        lookAgain = Date.now() + 1_200;
        const tablet = await new Peer(server, library, 'ann', { type: 5 }).connect();
        baselines = (await tablet.sync()).baselines.map(({ oid }) => oid);
        tablet.close();
        return baselines.includes('items/p:n');
      },
      { describe: () => baselines.join() },
    );
    const cem = await joiner(server, library, 'cem');
    expect(JSON.stringify(cem.received)).not.toContain('secret');
    // An operation without authz on what is folded is private, too.
    await ann.write(set('items/p', 'secret', 'still'));
    await fence();
    expect(JSON.stringify([bob.received, cem.received])).not.toContain('secret');
    expect(JSON.stringify(phone.received)).toContain('still');
    cem.close();
    close();
  });

  test('[PRIV-7] [PRIV-8] can be written, deleted and granted by its user alone; the rest of the message is taken', async () => {
    const { library, ann, phone, bob, fence, close } = await trio();
    await ann.write(init('items/p', { id: 'p' }, privateTo('ann')));
    await bob.write(
      set('items/p', 'title', 'intruder'),
      remove('items/p'),
      init('items/p', { intruder: 1 }),
      init('items/p', { intruder: 2 }, privateTo('bob')),
      init('items/p:n', { intruder: 3 }),
      init('items/for-ann', { intruder: 4 }, privateTo('ann')),
      set('items/1', 'fine', 'taken'),
    );
    await fence();
    expect(JSON.stringify(phone.received)).not.toContain('intruder');
    expect(JSON.stringify(phone.received)).toContain('"fine"');
    const tablet = await joiner(server, library, 'ann');
    const all = JSON.stringify(tablet.received);
    expect(all).toContain('items/p');
    expect(all).not.toContain('intruder');
    expect(all).not.toContain('items/for-ann');
    tablet.close();
    close();
  });

  test('[PRIV-6] does not change its access; deleted and made anew it takes the new one', async () => {
    const { ann, phone, bob, fence, close } = await trio();
    await ann.write(init('items/p', { first: 1 }, privateTo('ann')));
    await ann.write(remove('items/p'));
    await ann.write(init('items/p', { open: 1 }));
    await fence();
    const heard = bob.received.flatMap((message) => (message.type === 'op-re' ? message.operations : []));
    expect(kinds(heard).filter((text) => text.startsWith('items/p'))).toEqual(['items/p initialize']);
    expect(JSON.stringify(heard)).toContain('"open"');
    expect(JSON.stringify(heard)).not.toContain('"first"');
    expect(JSON.stringify(phone.received)).toContain('"first"');
    await bob.write(set('items/p', 'title', 'by bob'));
    await fence();
    expect(JSON.stringify(ann.received)).toContain('by bob');
    close();
  });

  test('[ACK-4] acks go on for a replica that may not see the last operation: folding does not wait for it', async () => {
    const { library, ann, fence, close } = await trio();
    for (let i = 0; i < 20; i++) await ann.write(init(`items/p${i}`, { secret: i }, privateTo('ann')));
    await fence();
    let left = Number.NaN;
    let lookAgain = 0;
    await waitFor(
      async () => {
        if (Date.now() < lookAgain) return false;
        lookAgain = Date.now() + 1_200;
        const tablet = await new Peer(server, library, 'ann', { type: 5 }).connect();
        left = (await tablet.sync()).operations.length;
        tablet.close();
        return left < 5;
      },
      { describe: () => `${left} left` },
    );
    close();
  });
});

test('[PRIV-4] [PRIV-7] an operation without authz on it goes to its user alone, and no other may write there', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const phone = await joiner(server, library, 'ann');
  const bob = await joiner(server, library);
  const root = {
    ...set('items/p', '', 0),
    data: { op: 'initialize', value: { id: 'p' } },
    authz: privateTo('ann'),
  };
  await ann.write(root);
  await ann.write(set('items/p', 'title', 'secret'));
  await ann.write({ ...set('items/p:n', '', 0), data: { op: 'initialize', value: { deep: 'secret' } } });
  await bob.write(set('items/p', 'title', 'written by bob'));
  const marker = set('items/1', 'marker', 1);
  await ann.write(marker);
  expect((await bob.take('op-re')).operations).toEqual([marker]);
  await phone.take('op-re', ({ operations }) => operations[0]?.timestamp === marker.timestamp);
  const shown = JSON.stringify(phone.received);
  expect(shown).toContain('"title","value":"secret"');
  expect(shown).toContain('"deep":"secret"');
  expect(shown).not.toContain('written by bob');
  const cem = await joiner(server, library, 'cem');
  expect(JSON.stringify(cem.received)).not.toContain('secret');
  for (const peer of [ann, phone, bob, cem]) peer.close();
});
