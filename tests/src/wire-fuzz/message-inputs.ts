import { CANARIES } from '../abuse/canaries.js';
import { stamp } from '../wire-rules/messages.js';
import type { Random } from './random.js';

/** The JSON of a client's message: a right one, one with wrong fields, or any value at all. */
export function messageText(random: Random, replica: string): string {
  const message = rightMessage(random, replica);
  return random.one(
    () => JSON.stringify(message),
    () => JSON.stringify(message),
    () => JSON.stringify(random.spoilt(message)),
    () => JSON.stringify(random.spoilt(message)),
    () => JSON.stringify(random.value()) ?? 'null',
    () => oddJson(random, JSON.stringify(message)),
  );
}

function rightMessage(random: Random, replicaId: string): Record<string, unknown> {
  const operations = () => Array.from({ length: random.below(4) }, () => operation(random));
  return random.one<Record<string, unknown>>(
    () => ({ type: 'heartbeat' }),
    () => ({ type: 'presence-update', replicaId, presence: value(random), internal: {} }),
    () => ({ type: 'op', replicaId, timestamp: stamp(), operations: operations() }),
    () => ({ type: 'op', replicaId, timestamp: stamp(), operations: operations() }),
    () => ({
      type: 'sync',
      replicaId,
      timestamp: stamp(),
      operations: operations(),
      baselines: random.chance(0.3) ? [baseline(random)] : [],
      schemaVersion: 1,
      since: random.chance(0.7) ? stamp() : null,
      resyncAll: random.chance(0.1),
    }),
    () => ({ type: 'ack', replicaId, timestamp: stamp() }),
    () => ({ type: 'ack', replicaId, nonce: random.oddText() }),
    () => ({ type: 'sync-ack', replicaId, nonce: 'n', timestamp: stamp() }),
    () => ({ type: 'disconnecting', replicaId, reason: random.oddText() }),
    () => ({ type: random.oddText(), replicaId }),
  );
}

const operation = (random: Random) => ({
  oid: oid(random),
  timestamp: random.chance(0.9) ? stamp() : stamp(random.below(2 ** 41)),
  data: patch(random),
  ...(random.chance(0.15) ? { authz: random.pick(['dTp4Oio=', 'dToqOio=', '', 'x', '!!', 'dTok']) } : {}),
});

const baseline = (random: Random) => ({
  oid: oid(random),
  timestamp: stamp(),
  snapshot: random.pick([{}, [], { a: value(random) }, [value(random)], null]),
});

const patch = (random: Random): Record<string, unknown> => {
  const index = random.pick([0, 1, 5, -1, 999_999, 1_000_001, 0.5]);
  return random.one<Record<string, unknown>>(
    () => ({ op: 'initialize', value: random.pick([{}, [], { a: value(random) }, [value(random)]]) }),
    () => ({ op: 'set', name: random.pick(['a', '__proto__', 'constructor', '']), value: value(random) }),
    () => ({ op: 'remove', name: random.pick(['a', '__proto__']) }),
    () => ({ op: 'list-set', index: index === 999_999 ? 99 : index, value: value(random) }),
    () => ({ op: 'list-push', value: value(random) }),
    () => ({ op: 'list-insert', index, value: value(random) }),
    () => ({ op: 'list-insert', index, values: [value(random), 0, null] }),
    () => ({ op: 'list-delete', index, count: random.pick([0, 1, 1e9, -1]) }),
    () => ({ op: 'list-move-by-index', from: index, to: random.below(3) }),
    () => ({ op: 'list-move-by-ref', value: reference(random), index }),
    () => ({ op: 'list-remove', value: value(random), only: random.pick([undefined, 'first', 'last', 'x']) }),
    () => ({ op: 'list-add', value: value(random) }),
    () => ({ op: random.pick(['delete', 'touch', 'explode', 'toString']) }),
  );
};

const oid = (random: Random) =>
  random.pick([
    'notes/1',
    'notes/1:a',
    'notes/2',
    'notes/2:a.b',
    'notes/a&dot;b',
    'notes/__proto__',
    'notes',
    '/x',
    `notes/${random.oddText(40)}`,
  ]);

const reference = (random: Random) => ({
  '@@type': random.pick(['ref', 'file', 'other']),
  id: random.pick(['notes/1', 'notes/1:a', 'file-1', '../x']),
});

const value = (random: Random): unknown =>
  random.one<unknown>(
    () => CANARIES.attacker,
    () => reference(random),
    () => random.value(2),
  );

/** Right in meaning or nearly so, and odd in form. */
function oddJson(random: Random, text: string): string {
  const cut = random.below(text.length);
  return random.one(
    () => text.slice(0, cut),
    () => `${text}${text}`,
    () => ` \n\t${text}\r\n `,
    () => `\ufeff${text}`,
    () => text.replace('{', '{"type":"heartbeat",'),
    () => text.replace('{', '{"__proto__":{"type":"op"},'),
    () => text.replaceAll('"', "'"),
    () => `${'['.repeat(1 + random.below(20_000))}${text}`,
    () => `${'{"a":'.repeat(1 + random.below(2_000))}1${'}'.repeat(random.below(2_000))}`,
    () => text.replace(':', `:${'-'.repeat(random.below(3))}${'9'.repeat(random.below(400))}`),
    () => text.replace(/"([a-z]+)"/, '"\\u0000$1"'),
    () => text.slice(0, cut) + random.pick(['\0', '\\', '"', '\ud800', '/*', 'NaN']) + text.slice(cut),
  );
}
