import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerdantError } from './errors.js';
import { defaultMessageLimits, type MessageLimits } from './limits.js';
import type { ClientMessage } from './messages.js';
import { parseJson } from './parse-json.js';
import type { Patch } from './patch.js';
import { parseClientMessage } from './validate.js';

const time = '0001lzq3w5h8b0000abc1234';
const oid = 'todos/1:a1b2c3d4';
const replicaId = 'replica-1';

const parse = (message: unknown, limits: Partial<MessageLimits> = {}) =>
  parseClientMessage(message, { ...defaultMessageLimits, ...limits });

const refusal = (message: unknown, limits: Partial<MessageLimits> = {}): string => {
  try {
    parse(message, limits);
  } catch (error) {
    expect(error).toBeInstanceOf(VerdantError);
    expect((error as VerdantError).status).toBe(400);
    return (error as VerdantError).message;
  }
  throw new Error('was not refused');
};

const op = (...operations: unknown[]) => ({ type: 'op', replicaId, timestamp: time, operations });
const change = (data: unknown, more: object = {}) => op({ oid, timestamp: time, data, ...more });
const sync = (more: object = {}) => ({
  type: 'sync',
  replicaId,
  timestamp: time,
  operations: [],
  baselines: [],
  schemaVersion: 1,
  resyncAll: false,
  since: null,
  ...more,
});

const patches: Patch[] = [
  { op: 'initialize', value: { a: { '@@type': 'ref', id: oid }, b: null } },
  { op: 'initialize', value: [1, 'two', false] },
  { op: 'set', name: 'a', value: 0 },
  { op: 'set', name: 3, value: null },
  { op: 'set', name: 'a' },
  { op: 'remove', name: '__proto__' },
  { op: 'list-set', index: 2, value: '' },
  { op: 'list-push', value: false },
  { op: 'list-push' },
  { op: 'list-insert', index: -1, value: 0 },
  { op: 'list-insert', index: 0, value: null },
  { op: 'list-insert', index: 0, values: [1, null] },
  { op: 'list-insert', index: 0, values: [] },
  { op: 'list-delete', index: 0, count: 2 },
  { op: 'list-move-by-index', from: 1, to: 0 },
  { op: 'list-move-by-ref', value: { '@@type': 'ref', id: oid }, index: -1 },
  { op: 'list-move-by-ref', value: { '@@type': 'file', id: 'f', alt: null }, index: 1 },
  { op: 'list-remove', value: 'x' },
  { op: 'list-remove', value: 'x', only: 'last' },
  { op: 'list-add', value: 'x' },
  { op: 'delete' },
  { op: 'touch' },
];

describe('what clients send is taken as it is', () => {
  it.each(patches)('$op', (data) => {
    expect(parse(change(data))).toEqual(change(data));
  });

  const messages: ClientMessage[] = [
    { type: 'heartbeat' },
    { type: 'sync-ack', replicaId } as ClientMessage,
    { type: 'disconnecting', replicaId, reason: 'client-shutdown' } as ClientMessage,
    { type: 'disconnecting', replicaId } as ClientMessage,
    { type: 'ack', replicaId, timestamp: time } as ClientMessage,
    { type: 'ack', replicaId, timestamp: time, nonce: 'n' } as ClientMessage,
    { type: 'ack', replicaId, nonce: 'n' } as ClientMessage,
    { type: 'presence-update', replicaId, presence: { cursor: [1, 2] }, internal: {} } as ClientMessage,
    { type: 'presence-update', replicaId, presence: null } as ClientMessage,
    { type: 'presence-update', replicaId } as ClientMessage,
    sync() as unknown as ClientMessage,
    sync({ since: time, resyncAll: true, schemaVersion: 12 }) as unknown as ClientMessage,
  ];
  it.each(messages)('$type', (message) => {
    expect(parse(message)).toEqual(message);
  });

  it('a whole history, with access keys and zero timestamps', () => {
    const zero = '000100000000000a0abc1234';
    const message = sync({
      operations: [{ oid: 'todos/1', timestamp: zero, data: { op: 'touch' }, authz: 'dTphOio=' }],
      baselines: [{ oid, snapshot: [1], timestamp: time, authz: 'dTphOio=' }],
    });
    expect(parse(message)).toEqual(message);
  });

  it('[NAME-6] text with lone surrogates and NUL', () => {
    const value = 'a\u0000\ud800b';
    const text = JSON.stringify(change({ op: 'set', name: value, value }));
    expect(parse(parseJson(text, 32))).toEqual(change({ op: 'set', name: value, value }));
  });

  it('an array of any size within the limits', () => {
    const many = Array.from({ length: 100_000 }, () => ({ oid, timestamp: time, data: { op: 'touch' } }));
    expect(parse(op(...many))).toEqual(op(...many));
  });

  it('[MSG-4] since and resyncAll may be missing', () => {
    expect(parse(sync({ since: undefined, resyncAll: undefined }))).toEqual(sync());
  });

  it('[MSG-4] a baseline without a snapshot is none', () => {
    const baselines = [
      { oid, timestamp: time, snapshot: null },
      { oid, timestamp: time },
    ];
    expect(parse(sync({ baselines }))).toEqual(sync());
  });

  it('[MSG-4] an empty access key is none', () => {
    for (const authz of [null, '']) {
      expect(parse(change({ op: 'touch' }, { authz }))).toEqual(change({ op: 'touch' }));
    }
  });
});

describe('what is not known', () => {
  it('[MSG-2] as a type is left to newer servers', () => {
    expect(parse({ type: 'from-the-future', replicaId: 5 })).toBeNull();
    expect(parse({ type: '__proto__' })).toBeNull();
  });

  it('[MSG-3] as a field is dropped', () => {
    expect(parse({ type: 'heartbeat', timestamp: 5, replicaId })).toEqual({ type: 'heartbeat' });
    const message = change({ op: 'delete', value: 1 }, { serverOrder: 7, isLocal: true, authz: undefined });
    expect(parse({ ...message, extra: 1 })).toEqual(change({ op: 'delete' }));
    expect(Object.keys((parse(message) as { operations: object[] }).operations[0] as object)).toEqual([
      'oid',
      'timestamp',
      'data',
    ]);
  });

  it('[PATCH-4] as to list-insert: only the field that decides is kept', () => {
    const insert = { op: 'list-insert', index: 0 };
    expect(parse(change({ ...insert, value: 0, values: [1] }))).toEqual(change({ ...insert, values: [1] }));
    expect(parse(change({ ...insert, value: 2, values: [1] }))).toEqual(change({ ...insert, value: 2 }));
  });
});

describe('[MSG-1] what is malformed is refused, and told by its place, what was expected, and the type of what came', () => {
  const cases: [string, unknown, Partial<MessageLimits>?][] = [
    ['message: expected an object, got null', null],
    ['message: expected an object, got a list of 1', [1]],
    ['type: expected a string, got nothing', {}],
    ['type: expected a string, got a number', { type: 1 }],
    ['replicaId: expected a string of at most 256 characters, got nothing', { type: 'sync-ack' }],
    ['replicaId: expected a string that is not empty', { type: 'sync-ack', replicaId: '' }],
    ["replicaId: expected any string but 'server'", { type: 'sync-ack', replicaId: 'server' }],
    [
      'replicaId: expected a string of at most 3 characters',
      { type: 'sync-ack', replicaId },
      { maxReplicaIdLength: 3 },
    ],
    ['timestamp: expected a timestamp', { ...op(), timestamp: 'now' }],
    ['timestamp: expected a timestamp of 24 characters, got nothing', { type: 'ack', replicaId }],
    ['nonce: expected a string', { type: 'ack', replicaId, nonce: 1 }],
    ['reason: expected a string', { type: 'disconnecting', replicaId, reason: {} }],
    ['since: expected a timestamp', sync({ since: '' })],
    ['since: expected a timestamp of 24 characters, got a boolean', sync({ since: false })],
    ['resyncAll: expected a boolean, got a string', sync({ resyncAll: 'yes' })],
    ['schemaVersion: expected a number, got nothing', sync({ schemaVersion: undefined })],
    ['operations: expected a list, got an object', { ...op(), operations: {} }],
    ['operations: expected at most 1 items, got a list of 2', op({}, {}), { maxOperationsPerMessage: 1 }],
    ['baselines: expected a list, got nothing', sync({ baselines: undefined })],
    [
      'baselines: expected at most 0 items, got a list of 1',
      sync({ baselines: [{}] }),
      { maxBaselinesPerMessage: 0 },
    ],
    ['baselines[0].oid: expected an object id', sync({ baselines: [{}] })],
    [
      'baselines[0].snapshot: expected an object or a list, got a string',
      sync({ baselines: [{ oid, timestamp: time, snapshot: 'x' }] }),
    ],
    ['operations[0].operation: expected an object, got a number', op(1)],
    [
      'operations[0].oid: expected an object id',
      op({ oid: 'no-slash', timestamp: time, data: { op: 'touch' } }),
    ],
    [
      'operations[0].oid: expected an object id of at most 5 characters',
      change({ op: 'touch' }),
      { maxOidLength: 5 },
    ],
    [
      'operations[0].timestamp: expected a timestamp',
      change({ op: 'touch' }, { timestamp: time.toUpperCase() }),
    ],
    ['operations[0].data: expected an object, got nothing', change(undefined)],
    ['operations[0].data.op: expected a known patch operation, got a string', change({ op: 'explode' })],
    ['operations[0].data.op: expected a known patch operation, got nothing', change({})],
    ['operations[0].data.op: expected a known patch operation', change({ op: 'constructor' })],
    [
      'operations[0].data.value: expected an object or a list, got null',
      change({ op: 'initialize', value: null }),
    ],
    [
      'operations[0].data.name: expected a string of at most 1024',
      change({ op: 'set', name: null, value: 1 }),
    ],
    [
      'operations[0].data.name: expected a string of at most 2',
      change({ op: 'remove', name: 'abc' }),
      { maxNameLength: 2 },
    ],
    ['operations[0].data.name: expected a whole number', change({ op: 'set', name: 1.5 })],
    ['operations[0].data.name: expected at most 9', change({ op: 'set', name: 10 }), { maxListIndex: 9 }],
    [
      'operations[0].data.index: expected at most 9, got a number',
      change({ op: 'list-set', index: 10 }),
      { maxListIndex: 9 },
    ],
    [
      'operations[0].data.index: expected a whole number, got a string',
      change({ op: 'list-insert', index: '0', value: 1 }),
    ],
    [
      'operations[0].data.index: expected a whole number, got null',
      change({ op: 'list-delete', index: null, count: 1 }),
    ],
    [
      'operations[0].data.count: expected a whole number',
      change({ op: 'list-delete', index: 0, count: Number.POSITIVE_INFINITY }),
    ],
    ['operations[0].data.from: expected a whole number', change({ op: 'list-move-by-index', to: 1 })],
    ['operations[0].data.to: expected a whole number', change({ op: 'list-move-by-index', from: 1 })],
    [
      'operations[0].data.value: expected a reference, got a string',
      change({ op: 'list-move-by-ref', value: 'x', index: 1 }),
    ],
    ['operations[0].data: expected value or values, got nothing', change({ op: 'list-insert', index: 0 })],
    [
      'operations[0].data.values: expected a list, got a string',
      change({ op: 'list-insert', index: 0, values: 'x' }),
    ],
    [
      "operations[0].data.only: expected 'first' or 'last', got a string",
      change({ op: 'list-remove', value: 1, only: 'all' }),
    ],
    ['operations[0].authz: expected a string', change({ op: 'touch' }, { authz: { a: 1 } })],
    [
      'operations[0].authz: expected a string of at most 3',
      change({ op: 'touch' }, { authz: 'abcd' }),
      { maxAuthzLength: 3 },
    ],
    [
      'operations[0].data.value: expected at most 2 levels of nesting',
      change({ op: 'set', name: 'a', value: [[[]]] }),
      { maxValueDepth: 2 },
    ],
    [
      'operations[0].data.values: expected at most 1 levels of nesting',
      change({ op: 'list-insert', index: 0, values: [{ a: {} }] }),
      { maxValueDepth: 1 },
    ],
    [
      'presence: expected at most 1 levels of nesting',
      { type: 'presence-update', replicaId, presence: { a: {} } },
      { maxValueDepth: 1 },
    ],
    [
      'internal: expected at most 1 levels of nesting',
      { type: 'presence-update', replicaId, internal: [[]] },
      { maxValueDepth: 1 },
    ],
  ];
  it.each(cases)('%s', (expected, message, limits) => {
    expect(refusal(message, limits)).toContain(expected);
  });

  it('names the place of a later operation', () => {
    const fine = { oid, timestamp: time, data: { op: 'touch' } };
    expect(refusal(op(fine, fine, { ...fine, oid: 5 }))).toBe(
      'operations[2].oid: expected an object id of at most 1024 characters, got a number',
    );
  });

  it('refuses a value too deep for any walk, even one that was parsed elsewhere', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 1_000_000; i++) deep = [deep];
    expect(refusal(change({ op: 'set', name: 'a', value: deep }))).toContain('at most 64 levels');
  });

  it('[REFUSE-9] never tells the content', () => {
    const secret = 'hunter2';
    const messages = [
      { type: 'ack', replicaId, timestamp: secret },
      change({ op: secret }),
      change(secret),
      op({ oid: secret }),
    ];
    for (const message of messages) expect(refusal(message)).not.toContain(secret);
  });
});

describe('any JSON', () => {
  const tame = (message: unknown) => {
    try {
      return parse(message);
    } catch (error) {
      expect(error).toBeInstanceOf(VerdantError);
      return null;
    }
  };

  it('is parsed or refused, never worse', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => void tame(value)),
      { numRuns: 2_000 },
    );
  });

  it('in the fields of a message is parsed or refused, and what is parsed is parsed to the same again', () => {
    const junk = fc.jsonValue();
    const field = (good: unknown) =>
      fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: junk });
    const operation = fc.record(
      {
        oid: field(oid),
        timestamp: field(time),
        data: fc.oneof(fc.constantFrom(...patches), junk),
        authz: field('dTphOio='),
      },
      { requiredKeys: ['oid', 'timestamp', 'data'] },
    );
    const message = fc.record(
      {
        type: fc.constantFrom(
          'sync',
          'op',
          'ack',
          'presence-update',
          'heartbeat',
          'sync-ack',
          'disconnecting',
          'else',
        ),
        replicaId: field(replicaId),
        timestamp: field(time),
        operations: fc.oneof(fc.array(operation, { maxLength: 3 }), field([])),
        baselines: field([{ oid, timestamp: time, snapshot: {} }]),
        schemaVersion: field(1),
        resyncAll: field(false),
        since: field(null),
        nonce: field('n'),
        presence: junk,
        internal: junk,
        reason: field('bye'),
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(message, (message) => {
        // Stringified first, as JSON knows no -0.
        const parsed = tame(JSON.parse(JSON.stringify(message)));
        if (parsed !== null) expect(parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
      }),
      { numRuns: 5_000 },
    );
  });
});
