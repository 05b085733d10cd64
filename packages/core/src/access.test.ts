import { authzKeyFor, ORIGINATOR_SUBJECT, type Timestamp, type UserId } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { listed, World } from './testing/world.js';

const key = (user: string) => authzKeyFor(user as UserId);
const latin1 = (user: string) => btoa(`u:${user}:*`);
const originator = btoa(`u:${ORIGINATOR_SUBJECT}:*`);

/** What a new device of this user is given. */
const seenBy = async (world: World, user: string) => {
  const device = world.device(user).connect();
  const answer = await device.sync();
  return [...answer.baselines.map(({ oid }) => `${oid}`), ...answer.operations.map(({ oid }) => `${oid}`)];
};

describe('a private document', () => {
  test('[PRIV-3] goes to its owner only: live, in replies, and folded', async () => {
    const world = new World();
    const ana = await world.founder();
    const tablet = await world.member('ana');
    const bob = await world.member('bob');
    await ana.push(
      ana.create('notes/1:a', ['x'], { authz: key('ana') }),
      ana.create('notes/1', { id: '1' }, { authz: key('ana') }),
    );
    expect(tablet.broadcast).toEqual(['notes/1:a initialize', 'notes/1 initialize']);
    expect(bob.all('op-re')).toEqual([]);
    expect(await seenBy(world, 'bob')).toEqual(['items/1']);
    await ana.push(ana.set('items/1', 'n', 1));
    await Promise.all([tablet.ackAll(), bob.ackAll()]);
    for (const device of [ana, bob, tablet]) await device.push(device.operation('items/1', { op: 'touch' }));
    for (const device of [ana, bob, tablet]) await device.ackAll();
    await world.settle(3_000);
    const info = await world.info();
    expect(info?.baselinesCount).toBe(0);
    expect(await seenBy(world, 'ana')).toContain('notes/1:a');
    expect(await seenBy(world, 'cat')).not.toContain('notes/1:a');
  });

  test('[PRIV-3] [PRIV-4] is kept from others when it is in baselines', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({
      baselines: [
        ana.baseline('items/1', { id: '1' }),
        ana.baseline('notes/1', { id: '1' }, { authz: key('ana') }),
        ana.baseline('notes/1:a', { deep: true }),
      ],
    });
    expect(await seenBy(world, 'bob')).toEqual(['items/1']);
    expect(await seenBy(world, 'ana')).toEqual(['items/1', 'notes/1:a', 'notes/1']);
  });

  test('[PRIV-4] stays private when its owner leaves authz out, as the 3.x client does', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await ana.push(ana.set('notes/1', 'secret', 1), ana.create('notes/1:n', {}));
    expect(bob.all('op-re')).toEqual([]);
    expect(await seenBy(world, 'bob')).toEqual(['items/1']);
  });

  test('[PRIV-7] cannot be written by anybody else; the rest of the message is stored', async () => {
    const world = new World();
    const refused: unknown[] = [];
    const ana = await world.founder();
    world.core.events.subscribe('accessRefused', (info) => refused.push(info.oid));
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await bob.push(
      bob.set('notes/1', 'n', 1),
      bob.create('notes/1', { mine: true }),
      bob.operation('notes/1', { op: 'delete' }),
      bob.create('notes/1:x', {}, { authz: key('bob') }),
      bob.set('items/1', 'n', 1),
    );
    expect(bob.all('server-ack')).toHaveLength(1);
    expect(ana.broadcast).toEqual(['items/1 set']);
    expect(refused).toEqual(['notes/1', 'notes/1', 'notes/1', 'notes/1:x']);
    expect(await world.snapshot('notes', '1')).toEqual({ id: '1' });
  });

  test('[PRIV-8] cannot be made for somebody else', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await bob.push(bob.create('notes/1', { id: '1' }, { authz: key('ana') }));
    expect(ana.all('op-re')).toEqual([]);
    expect(await world.snapshot('notes', '1')).toBeNull();
  });

  test('[PRIV-5] is not made of a public one, which nobody can take', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await bob.push(bob.create('items/1', { id: '1', stolen: true }, { authz: key('bob') }));
    expect(bob.all('server-ack')).toHaveLength(1);
    expect(ana.all('op-re')).toEqual([]);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one' });
    await ana.push(ana.set('items/1', 'n', 1));
    expect(bob.broadcast).toEqual(['items/1 set']);
  });

  test('[PRIV-5] is not published where somebody made a public one of the same key before', async () => {
    const world = new World();
    const bob = await world.founder('bob');
    const ana = await world.member('ana');
    await bob.push(bob.create('settings/default', { trap: true }));
    await ana.push(
      ana.create('settings/default:n', { secret: 1 }),
      ana.create('settings/default', { secret: 2 }, { authz: key('ana') }),
      ana.set('settings/default', 'secret', 3, { authz: key('ana') }),
      ana.set('items/1', 'n', 1),
    );
    expect(bob.broadcast).toEqual(['items/1 set']);
    expect(await world.snapshot('settings', 'default')).toEqual({ trap: true });
    // Deleted first, it is another document.
    await ana.push(
      ana.operation('settings/default', { op: 'delete' }),
      ana.create('settings/default:m', { secret: 4 }),
      ana.create('settings/default', { secret: 5 }, { authz: key('ana') }),
    );
    expect(bob.broadcast).toEqual(['items/1 set', 'settings/default delete']);
    expect(await world.snapshot('settings', 'default')).toEqual({ secret: 5 });
  });

  test('[PRIV-5] stays public when its founder sends its whole history again, now with keys', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const made = ana.create('notes/1', { id: '1' });
    await ana.sync({ operations: [made] });
    await world.settle(1);
    const again = world.device('ana', { id: ana.id }).connect();
    await again.sync({
      resyncAll: false,
      operations: [{ ...made, authz: key('ana') }, again.set('notes/1', 'n', 1, { authz: key('ana') })],
    });
    expect(await world.snapshot('notes', '1')).toEqual({ id: '1', n: 1 });
  });

  test('[PRIV-6] what its owner still wrote to it is not published with the public one that follows it', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await ana.push(ana.operation('notes/1', { op: 'delete' }, { authz: key('ana') }));
    await world.settle(1);
    await bob.push(bob.create('notes/1', { now: 'public' }));
    await ana.push(
      ana.set('notes/1', 'secret', 1, { authz: key('ana') }),
      ana.create('notes/1:n', { secret: 2 }, { authz: key('ana') }),
    );
    expect(bob.all('op-re')).toEqual([]);
    expect(await world.snapshot('notes', '1')).toEqual({ now: 'public' });
  });

  test('[PRIV-6] what was written to it, dated after the public one, is not in a snapshot of that', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    const moments: Timestamp[] = [];
    for (let n = 0; n < 2; n++) {
      await world.settle(1);
      moments.push(ana.stamp());
    }
    await world.settle(1);
    await ana.push(ana.set('notes/1', 'secret', 1, { authz: key('ana') }));
    await ana.push(ana.operation('notes/1', { op: 'delete' }, { authz: key('ana'), timestamp: moments[0]! }));
    await bob.push(bob.create('notes/1', { now: 'public' }, { timestamp: moments[1]! }));
    expect(await world.snapshot('notes', '1')).toEqual({ now: 'public' });
  });

  test('[PRIV-3] cannot be had by making it anew in the past, and holding the fold between', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await world.settle(1);
    const past = bob.stamp();
    await world.settle(1);
    await ana.push(ana.set('notes/1', 'secret', 'of ana', { authz: key('ana') }));
    await world.settle(1);
    const between = bob.stamp();
    await world.settle(1);
    await ana.push(ana.operation('notes/1', { op: 'delete' }, { authz: key('ana') }));
    await bob.push(bob.create('notes/1', { mine: true }, { timestamp: past }));
    bob.send({ type: 'ack', timestamp: between });
    await ana.ackAll();
    await world.settle(3_000);
    const stored = JSON.stringify(await world.device('cat').connect().sync());
    expect((await world.info())!.baselinesCount).toBeGreaterThan(0);
    expect(stored).toContain('notes/1');
    expect(stored).not.toContain('of ana');
  });

  test('[PRIV-6] that was deleted takes the access of the initialize that follows', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await ana.push(ana.operation('notes/1', { op: 'delete' }, { authz: key('ana') }));
    await ana.push(ana.set('notes/1', 'late', 1, { authz: key('ana') }));
    expect(bob.all('op-re')).toEqual([]);
    await bob.push(bob.create('notes/1', { now: 'public' }));
    expect(ana.broadcast).toEqual(['notes/1 initialize']);
    await ana.push(ana.set('notes/1', 'n', 1));
    expect(bob.broadcast).toEqual(['notes/1 set']);
    await ana.push(ana.operation('notes/1', { op: 'delete' }));
    await bob.push(bob.create('notes/1', { now: 'of bob' }, { authz: key('bob') }));
    expect(ana.all('op-re')).toHaveLength(1);
  });

  test.each([
    ['UTF-8', key('Zoë')],
    ['Latin-1, as browsers encode', latin1('Zoë')],
    ['the originator of a library that was never synced', originator],
  ])('[PRIV-1] [PRIV-2] is understood in %s', async (_name, authz) => {
    const world = new World();
    const zoe = world.device('Zoë').connect();
    await zoe.sync({
      baselines: [zoe.baseline('notes/0', { id: '0' }, { authz })],
      operations: [zoe.create('notes/1', { id: '1' }, { authz })],
    });
    await zoe.push(zoe.create('notes/2', { id: '2' }, { authz }));
    expect(await seenBy(world, 'Zoë')).toEqual(['notes/0', 'notes/1', 'notes/2']);
    expect(await seenBy(world, 'bob')).toEqual([]);
    const answer = await world.device('Zoë').connect().sync();
    expect(answer.operations.map((operation) => operation.authz)).toEqual([key('Zoë'), key('Zoë')]);
  });

  test('[PRIV-1] of a user whose id has colons', async () => {
    const world = new World();
    const user = world.device('u:1:*').connect();
    await user.sync({ operations: [user.create('notes/1', { id: '1' }, { authz: latin1('u:1:*') })] });
    expect(await seenBy(world, 'u:1:*')).toEqual(['notes/1']);
    expect(await seenBy(world, 'u')).toEqual([]);
  });

  test('[ACK-4] is not reset over its private parts: what it may not see is acknowledged by itself', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.create('notes/1', { id: '1' }, { authz: key('ana') }));
    await bob.push(bob.operation('items/1', { op: 'touch' }));
    await ana.ackAll();
    await ana.push(ana.set('notes/1', 'n', 1, { authz: key('ana') }));
    await bob.push(bob.operation('items/1', { op: 'touch' }));
    await ana.ackAll();
    await world.settle(3_000);
    expect((await world.info())!.operationsCount).toBeLessThan(4);
    const since = bob.stamp();
    bob.disconnect().connect();
    const answer = await bob.sync({ since });
    expect(answer.overwriteLocalData).toBe(false);
    expect(listed(answer)).toEqual([]);
  });
});
