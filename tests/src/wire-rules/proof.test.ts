import { describe, expect, test } from 'vitest';
import { init, push, set, stamp, stampNear } from './messages.js';
import { foundation, founder, joiner, kinds, Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { fresh } from './tokens.js';

/* A reply that was sent is not a reply that was applied. */
const server = sharedCli();

/** A replica that knows everything up to `since`, and is away. */
async function away(
  library: string,
  type = 0,
): Promise<{ bob: Peer; since: string; again(): Promise<Peer> }> {
  const bob = await joiner(server, library, 'bob', { type });
  await bob.fence();
  const since = stamp();
  expect((await bob.sync({ since })).overwriteLocalData).toBe(false);
  bob.close();
  await bob.ended();
  return { bob, since, again: () => new Peer(server, library, 'bob', { id: bob.id, type }).connect() };
}

describe('a reply whose receipt was confirmed by a nonce only', () => {
  test.each([
    ['an ack with a nonce', { type: 'ack', nonce: 'anything' }],
    ['an ack with a nonce and a time', { type: 'ack', nonce: 'anything', timestamp: '' }],
    ['a sync-ack', { type: 'sync-ack', nonce: 'anything', timestamp: '' }],
  ])('[PROOF-4] is given again: %s', async (_, message) => {
    const library = fresh();
    const ann = await founder(server, library);
    const { since, again } = await away(library);
    const missed = set('items/1', 'title', 'missed');
    await ann.write(missed);

    const tab = await again();
    tab.onMessage = () => {};
    expect((await tab.sync({ since })).operations).toEqual([missed]);
    const { type, ...fields } = message;
    tab.send(type, 'timestamp' in fields ? { ...fields, timestamp: stamp() } : fields);
    await tab.fence();
    tab.close();
    await tab.ended();

    const next = await again();
    expect((await next.sync({ since })).operations).toEqual([missed]);
    for (const peer of [ann, next]) peer.close();
  });

  test('[PROOF-4] no reply asks for a nonce', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    await ann.write(set('items/1', 'title', 'two'));
    await bob.take('op-re');
    const http = new Peer(server, library, 'cem');
    await http.poll();
    for (const message of [...ann.received, ...bob.received, await http.poll({ since: stamp() })]) {
      expect(message).not.toHaveProperty('ackThisNonce');
    }
    for (const peer of [ann, bob]) peer.close();
  });
});

test('[PROOF-7] [SYNC-15] a lost reset is repeated, and what is brought meanwhile is forfeited, until since passes it', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const { since, again } = await away(library, 2);
  const missed = set('items/1', 'n', 1);
  await ann.write(missed, set('items/1', 'n', 2));
  await ann.take('global-ack', ({ timestamp }) => timestamp > missed.timestamp);

  // An uncounted replica that was away brings something old: others may have folded past it.
  const lost = await again();
  const old = { ...set('items/1', 'stale', true), timestamp: stampNear(since, 0) };
  const first = await lost.sync({ since, operations: [{ ...old, timestamp: stampNear(since, 1) }] });
  expect(first.overwriteLocalData).toBe(true);
  lost.close();
  await lost.ended();

  const second = await again();
  const repeated = await second.sync({ since, operations: [{ ...old, timestamp: stampNear(since, 2) }] });
  expect(repeated.overwriteLocalData).toBe(true);
  second.close();
  await second.ended();

  const third = await again();
  const merged = await third.sync({ since: repeated.ackedTimestamp });
  expect(merged.overwriteLocalData).toBe(false);
  third.close();

  const cem = await joiner(server, library, 'cem');
  const all = cem.received.find((message) => message.type === 'sync-resp')!;
  expect(JSON.stringify(all)).not.toContain('stale');
  for (const peer of [ann, cem]) peer.close();
});

test('[PROOF-7] [SYNC-17] a lost reset is repeated for its own sake: where nothing was folded, and by every way by which one comes', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const before = stamp();
  // It does not acknowledge, and counts: nothing can be folded, and no other reason for a reset arises.
  const bob = await new Peer(server, library, 'bob').connect();
  const lost = await bob.sync();
  expect(lost.overwriteLocalData).toBe(true);
  bob.close();
  await bob.ended();
  const again = await new Peer(server, library, 'bob', { id: bob.id }).connect();
  const foreign = set('items/1', 'foreign', true);
  const repeated = await again.sync({ since: before, operations: [foreign] });
  expect(repeated.overwriteLocalData).toBe(true);
  expect(repeated.operations.length + repeated.baselines.length).toBe(2);
  again.close();
  await again.ended();
  expect((await again.poll({ since: before })).overwriteLocalData, 'over HTTP').toBe(true);
  const applied = await again.poll({ since: before });
  expect(applied.overwriteLocalData).toBe(true);
  const merged = await again.poll({ since: applied.ackedTimestamp });
  expect(merged).toMatchObject({ overwriteLocalData: false, operations: [] });
  await ann.fence();
  expect(JSON.stringify(ann.received)).not.toContain('foreign');
  ann.close();
});

test('[PROOF-8] [PROOF-9] while a reset is pending an op from before it is dropped without an ack; a later one is stored and sent back', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const bob = await new Peer(server, library, 'bob').connect();
  const early = push('items/1:tags', 'early');
  const reset = await bob.sync();
  expect(reset.overwriteLocalData).toBe(true);
  bob.send('op', { operations: [early], timestamp: early.timestamp });
  const late = push('items/1:tags', 'late');
  bob.send('op', { operations: [late], timestamp: late.timestamp });
  expect((await bob.take('server-ack')).timestamp).toBe(late.timestamp);
  expect((await ann.take('op-re')).operations).toEqual([late]);
  bob.close();
  await bob.ended();
  const next = await new Peer(server, library, 'bob', { id: bob.id }).connect();
  const answer = await next.sync({ since: reset.ackedTimestamp });
  expect(answer.overwriteLocalData).toBe(false);
  expect(answer.operations).toEqual([late]);
  for (const peer of [ann, next]) peer.close();
});

describe('over HTTP', () => {
  test('[OP-3] an op gets no server-ack, and is confirmed by the next sync', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = new Peer(server, library, 'bob');
    const first = await bob.poll();
    // The reset was applied: the client's next poll says so by its since.
    await bob.poll({ since: first.ackedTimestamp });
    const written = set('items/1', 'title', 'two');
    const { status, messages } = await bob.post([{ type: 'op', operations: [written], timestamp: stamp() }]);
    expect(status).toBe(200);
    expect(messages).toEqual([]);
    expect((await ann.take('op-re')).operations).toEqual([written]);
    // Not confirmed, it is offered again, and stored once.
    const timestamp = stamp();
    const poll = await bob.poll({ since: first.ackedTimestamp, operations: [written], timestamp });
    expect(poll.ackedTimestamp).toBe(timestamp);
    await ann.write(set('items/1', 'marker', 1));
    expect(ann.unread('op-re')).toEqual([]);
    ann.close();
  });
});

describe('a replica that was recorded while the library was empty', () => {
  const baseline = () => ({ oid: 'items/7', timestamp: stamp(), snapshot: { id: '7', from: 'baseline' } });

  test("[SYNC-7] is given the founder's baselines when it returns", async () => {
    const library = fresh();
    const bob = await new Peer(server, library, 'bob').connect();
    const empty = await bob.sync();
    expect(empty).toMatchObject({ overwriteLocalData: false, operations: [], baselines: [] });
    bob.close();
    await bob.ended();
    const ann = await new Peer(server, library, 'ann').connect();
    await ann.sync({ baselines: [baseline()], operations: [init('items/8', { id: '8' })] });

    const returned = await new Peer(server, library, 'bob', { id: bob.id }).connect();
    const answer = await returned.sync({ since: empty.ackedTimestamp });
    expect(answer.baselines.map(({ oid }) => oid)).toEqual(['items/7']);
    expect(kinds(answer.operations)).toEqual(['items/8 initialize']);
    expect(answer.overwriteLocalData).toBe(true);
    for (const peer of [ann, returned]) peer.close();
  });

  test('[SYNC-8] [SYNC-25] and is connected is sent them with the founding', async () => {
    const library = fresh();
    const bob = await new Peer(server, library, 'bob').connect();
    const { ackedTimestamp } = await bob.sync();
    bob.acking();
    const ann = await new Peer(server, library, 'ann').connect();
    const { overwriteLocalData } = await ann.sync({
      baselines: [baseline()],
      operations: [init('items/8', { id: '8' })],
    });
    expect(overwriteLocalData).toBe(false);
    const founding = await bob.take('op-re');
    expect(founding.baselines?.map(({ oid }) => oid)).toEqual(['items/7']);
    expect(kinds(founding.operations)).toEqual(['items/8 initialize']);
    await bob.fence();
    bob.close();
    await bob.ended();
    const returned = await new Peer(server, library, 'bob', { id: bob.id }).connect();
    const answer = await returned.sync({ since: ackedTimestamp });
    expect(answer).toMatchObject({ overwriteLocalData: false, operations: [] });
    for (const peer of [ann, returned]) peer.close();
  });
});

test('[SYNC-18] the founder whose reply was lost sends its history again, and loses nothing', async () => {
  const library = fresh();
  const history = foundation();
  const ann = await new Peer(server, library, 'ann').connect();
  await ann.sync({ operations: history });
  ann.close();
  await ann.ended();
  const again = await new Peer(server, library, 'ann', { id: ann.id }).connect();
  const later = push('items/1:tags', 'written meanwhile');
  const answer = await again.sync({ operations: [...history, later] });
  expect(answer.overwriteLocalData).toBe(false);
  const bob = await joiner(server, library);
  const all = bob.received.find((message) => message.type === 'sync-resp')!;
  expect(kinds(all.operations)).toEqual([
    'items/1 initialize',
    'items/1:tags initialize',
    'items/1:tags list-push',
  ]);
  for (const peer of [again, bob]) peer.close();
});
