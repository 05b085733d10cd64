import { VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import type { Revocation } from './revocations.js';
import { World } from './testing/world.js';

/** Tokens are JSON here: what is revoked does not depend on how a token is signed. */
const tokens = { verifyToken: (text: string) => JSON.parse(text) };

const tokenFor = (
  world: World,
  { user = 'ana', library = 'lib', iat = seconds(world) as number | null } = {},
) =>
  JSON.stringify({
    sub: user,
    lib: library,
    url: 'http://localhost/verdant',
    exp: seconds(world) + 86_400,
    ...(iat !== null && { iat }),
  });

const seconds = (world: World) => Math.floor(world.time.now() / 1000);

/** Verifies, while the time passes that it takes. */
const authenticate = async (world: World, token: string) => {
  const verification = world.core.authenticate(token).then(
    () => 'accepted',
    (error: { code: number }) => error.code,
  );
  await world.settle();
  return verification;
};

const revoke = async (world: World, revocation: Revocation) => {
  const revoked = world.core.revoke(revocation);
  revoked.catch(() => {});
  await world.settle();
  return revoked;
};

describe('revoke', () => {
  test('[AUTH-13] closes the sockets of tokens issued before, and no others', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const phone = await world.member('ana');
    const elsewhere = world.device('ana', { library: 'other' }).connect();
    const bob = await world.member('bob');
    await world.settle(10_000);
    const fresh = world.device('ana').connect();
    await world.settle(1);
    await revoke(world, { userId: 'ana', libraryId: 'lib', issuedBefore: world.time.now() - 5_000 });
    expect(ana.closed).toEqual({
      code: VerdantErrorCode.TokenExpired,
      reason: expect.stringContaining('revoked'),
    });
    expect(phone.closed?.code).toBe(VerdantErrorCode.TokenExpired);
    expect([elsewhere.isOpen, bob.isOpen, fresh.isOpen]).toEqual([true, true, true]);
    await revoke(world, { userId: 'ana', issuedBefore: world.time.now() - 5_000 });
    expect([elsewhere.isOpen, bob.isOpen, fresh.isOpen]).toEqual([false, true, true]);
    await revoke(world, { libraryId: 'another' });
    expect([bob.isOpen, fresh.isOpen]).toEqual([true, true]);
    await revoke(world, { libraryId: 'lib', issuedBefore: world.time.now() - 1 });
    expect([bob.isOpen, fresh.isOpen]).toEqual([false, true]);
    await revoke(world, { libraryId: 'lib' });
    expect(fresh.isOpen).toBe(false);
  });

  test('[AUTH-12] refuses tokens issued before, those of the same second included, and takes fresh ones', async () => {
    const world = new World({ tokens });
    await world.settle(500);
    const before = tokenFor(world);
    expect(await authenticate(world, before)).toBe('accepted');
    await revoke(world, { userId: 'ana' });
    expect(await authenticate(world, before)).toBe(VerdantErrorCode.TokenExpired);
    await world.settle(400);
    expect(await authenticate(world, tokenFor(world))).toBe(VerdantErrorCode.TokenExpired);
    expect(await authenticate(world, tokenFor(world, { user: 'bob' }))).toBe('accepted');
    await world.settle(100);
    expect(await authenticate(world, tokenFor(world))).toBe('accepted');
    expect(await authenticate(world, before)).toBe(VerdantErrorCode.TokenExpired);
  });

  test('tells tokens of one second apart where they say when they were issued to the millisecond', async () => {
    const world = new World({ tokens });
    const at = () => tokenFor(world, { iat: world.time.now() / 1000 });
    await world.settle(123);
    const before = at();
    await revoke(world, { userId: 'ana' });
    expect(await authenticate(world, before)).toBe(VerdantErrorCode.TokenExpired);
    await world.settle(1);
    expect(await authenticate(world, at())).toBe('accepted');
  });

  test('[AUTH-12] meets tokens that do not say when they were issued, whenever that was', async () => {
    const world = new World({ tokens });
    await revoke(world, { userId: 'ana', issuedBefore: new Date('1999-12-31') });
    await world.settle(60_000);
    expect(await authenticate(world, tokenFor(world, { iat: null }))).toBe(VerdantErrorCode.TokenExpired);
    expect(await authenticate(world, tokenFor(world))).toBe('accepted');
  });

  test('is not undone by an earlier one', async () => {
    const world = new World({ tokens });
    const token = tokenFor(world);
    await world.settle(1_000);
    await revoke(world, { libraryId: 'lib' });
    await revoke(world, { libraryId: 'lib', issuedBefore: world.time.now() - 60_000 });
    expect(await authenticate(world, token)).toBe(VerdantErrorCode.TokenExpired);
  });

  test('[AUTH-12] outlives the process', async () => {
    const world = new World({ tokens });
    const [ana, bob] = [tokenFor(world), tokenFor(world, { user: 'bob' })];
    await world.settle(1_000);
    await revoke(world, { userId: 'ana' });
    world.crash();
    expect(await authenticate(world, ana)).toBe(VerdantErrorCode.TokenExpired);
    expect(await authenticate(world, bob)).toBe('accepted');
    await world.settle(1_000);
    expect(await authenticate(world, tokenFor(world))).toBe('accepted');
  });

  test('meets what was verified before and is used only now', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const token = ana.token();
    await world.settle(1);
    await revoke(world, { userId: 'ana' });
    const refused = expect.objectContaining({ code: VerdantErrorCode.TokenExpired });
    const transport = {} as never;
    expect(() => world.core.connect(token, transport)).toThrow(refused);
    await expect(world.core.request(token, '{"messages":[]}')).rejects.toEqual(refused);
    const file = { id: 'f', name: 'f', type: 'text/plain', size: 1 };
    await expect(world.core.files.upload(token, file, new Blob(['x']).stream())).rejects.toEqual(refused);
  });

  test('[AUTH-13] what was sent before is stored, and not acknowledged to a socket that is gone', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const bob = await world.member('bob');
    const edit = bob.set('items/1', 'title', 'sent before');
    bob.send({ type: 'op', timestamp: bob.stamp(), operations: [edit] });
    await world.core.revoke({ userId: 'bob', issuedBefore: world.time.now() + 1 });
    bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'title', 'too late')] });
    await world.settle(2_000);
    expect(bob.all('server-ack')).toEqual([]);
    expect(ana.broadcast).toEqual(['items/1 set']);
    expect(await world.snapshot('items', '1')).toMatchObject({ title: 'sent before' });
    // It offers the edit again with a fresh token, as it has not heard of it.
    bob.connect();
    await bob.sync({ operations: [edit], since: null });
    expect(await world.snapshot('items', '1')).toMatchObject({ title: 'sent before' });
    expect(ana.broadcast).toEqual(['items/1 set']);
  });

  test('shows polling devices as gone at once', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const bob = world.device('bob');
    await bob.post({ type: 'presence-update', presence: {} });
    expect(Object.keys(await world.core.get('lib').getPresence())).toContain('bob');
    await world.settle(1);
    await revoke(world, { userId: 'bob' });
    expect(ana.all('presence-offline')).toMatchObject([{ userId: 'bob' }]);
    expect(Object.keys(await world.core.get('lib').getPresence())).not.toContain('bob');
  });

  test('holds while the process lives where it cannot be written, and says so', async () => {
    const storage = memoryStorage();
    storage.putRevocation = () => Promise.reject(new Error('disk full'));
    const world = new World({ tokens, storage });
    const token = tokenFor(world);
    await world.settle(1_000);
    await expect(revoke(world, { userId: 'ana' })).rejects.toThrow('disk full');
    expect(await authenticate(world, token)).toBe(VerdantErrorCode.TokenExpired);
  });

  test('no token is accepted while what was revoked cannot be read', async () => {
    const storage = memoryStorage();
    const { readRevocations } = storage;
    storage.readRevocations = () => Promise.reject(new Error('disk gone'));
    const world = new World({ tokens, storage });
    expect(await authenticate(world, tokenFor(world))).not.toBe('accepted');
    storage.readRevocations = readRevocations;
    expect(await authenticate(world, tokenFor(world))).toBe('accepted');
  });

  test.each<[unknown, RegExp]>([
    [{}, /name a userId, a libraryId or both/],
    [undefined, /name a userId, a libraryId or both/],
    [{ user: 'ana' }, /name a userId, a libraryId or both/],
    [{ userId: '' }, /userId has to be a string/],
    [{ userId: null, libraryId: 'lib' }, /userId has to be a string/],
    [{ libraryId: 7 }, /libraryId has to be a string/],
    [{ userId: 'ana', issuedBefore: 1_767_225_600 }, /not in seconds/],
    [{ userId: 'ana', issuedBefore: new Date('nonsense') }, /has to be a Date/],
    [{ userId: 'ana', issuedBefore: '2026-01-01' }, /has to be a Date/],
    [{ userId: 'ana', issuedBefore: null }, /has to be a Date/],
  ])('takes no %j', async (revocation, message) => {
    const world = new World();
    const ana = await world.founder('ana');
    await world.settle(1);
    await expect(revoke(world, revocation as Revocation)).rejects.toThrow(message);
    await expect(revoke(world, revocation as Revocation)).rejects.toThrow(TypeError);
    expect(ana.isOpen).toBe(true);
    expect(await world.storage.readRevocations()).toEqual([]);
  });

  test('is refused once the server closes', async () => {
    const world = new World();
    const closed = world.core.close();
    await world.settle();
    await closed;
    await expect(world.core.revoke({ userId: 'ana' })).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
  });
});

describe('disconnectUser', () => {
  test('closes the sockets of the user, who may come back with the same token', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const bob = await world.member('bob');
    const token = bob.token();
    const elsewhere = world.device('bob', { library: 'other' }).connect();
    await world.core.disconnectUser('bob');
    expect([ana.isOpen, bob.isOpen, elsewhere.isOpen]).toEqual([true, false, false]);
    expect(bob.closed?.code).toBe(1012);
    bob.connect(token);
    await bob.sync({ since: bob.stamp() });
    expect(bob.isOpen).toBe(true);
  });

  test('in one library leaves others as they are', async () => {
    const world = new World();
    await world.founder('ana');
    const bob = await world.member('bob');
    const elsewhere = world.device('bob', { library: 'other' }).connect();
    await world.core.disconnectUser('bob', { libraryId: 'other' });
    expect([bob.isOpen, elsewhere.isOpen]).toEqual([true, false]);
    await world.core.disconnectUser('bob', { libraryId: 'nowhere' });
    expect(bob.isOpen).toBe(true);
  });

  test('shows the user as gone at once, whichever way the devices came', async () => {
    const world = new World();
    const ana = await world.founder('ana');
    const [laptop, phone] = [await world.member('bob'), world.device('bob')];
    laptop.send({ type: 'presence-update', presence: {} });
    await phone.post({ type: 'presence-update', presence: {} });
    await world.core.disconnectUser('bob');
    await world.settle();
    expect(ana.all('presence-offline')).toMatchObject([{ userId: 'bob' }]);
    expect(await world.core.get('lib').getPresence()).toEqual({});
  });
});
