import type { Fault } from './fault.js';

/** Of an `op`, and of what others are told of it: rules [OP-…], [DUR-…]. */
export const operationFaults: readonly Fault[] = [
  {
    name: 'tells others of a change before it is stored',
    breaks: ['DUR-1', 'OP-2'],
    harm: 'A crash loses what others have seen.',
    file: 'library/batches.ts',
    right: `    const change = draft.changeAt(now);
    if (change) {`,
    wrong: `    const change = draft.changeAt(now);
    for (const [index, unit] of units.entries()) {
      for (const effect of effects[index]!) if (effect.kind === 'changes') this.#releaser.release(effect, unit);
    }
    this.#releaser.tellOthers();
    if (change) {`,
  },
  {
    name: 'acknowledges an op before it is stored',
    breaks: ['DUR-1', 'OP-1'],
    harm: 'A crash loses what the device takes for stored.',
    file: 'library/batches.ts',
    right: `    const change = draft.changeAt(now);
    if (change) {`,
    wrong: `    const change = draft.changeAt(now);
    for (const [index, unit] of units.entries()) {
      for (const effect of effects[index]!) if (effect.kind === 'server-ack') this.#releaser.release(effect, unit);
    }
    if (change) {`,
  },
  {
    name: 'goes on when another writer came first',
    breaks: ['DUR-3', 'DUR-6'],
    harm: 'What was never stored is acknowledged and shown.',
    file: 'library/batches.ts',
    right: 'if (!result.ok) throw new Conflict();',
    wrong: '',
  },
  {
    name: 'acknowledges the last operation of an op, not the op',
    breaks: ['OP-1'],
    harm: 'The device offers again what it has offered.',
    file: 'library/decide.ts',
    right: "effects.push({ kind: 'server-ack', timestamp: clamp(context, message.timestamp) });",
    wrong: "effects.push({ kind: 'server-ack', timestamp: last ?? message.timestamp });",
  },
  {
    name: 'shows an author the operations that it sent',
    breaks: ['OP-2'],
    harm: 'Each change is sent back to where it came from.',
    file: 'library/broadcast.ts',
    right: 'if (socket !== author) {',
    wrong: 'if (socket.synced) {',
  },
  {
    name: 'passes on all but the first operation of several',
    breaks: ['OP-2'],
    harm: 'Others miss a change until they connect again, or for good.',
    file: 'library/broadcast.ts',
    right: 'visibleOperations.map(({ row }) => encodeOperation(row)),',
    wrong:
      'visibleOperations.slice(visibleOperations.length > 1 ? 1 : 0).map(({ row }) => encodeOperation(row)),',
  },
  {
    name: 'passes on operations in another order than it stored them in',
    breaks: ['OP-2'],
    harm: 'An ack of the last one that was sent vouches for the wrong ones.',
    file: 'library/broadcast.ts',
    right: 'visibleOperations.map(({ row }) => encodeOperation(row)),',
    wrong: 'visibleOperations.map(({ row }) => encodeOperation(row)).reverse(),',
  },
  {
    name: 'acknowledges an op over HTTP',
    breaks: ['OP-3'],
    harm: 'Where an earlier request was lost, the device never sends that again.',
    file: 'library/decide.ts',
    right: `  if (connection.kind === 'socket')
    effects.push(`,
    wrong: `  effects.push(`,
  },
  {
    name: 'takes an op over HTTP to say that nothing older will come',
    breaks: ['OP-3'],
    harm: 'Others fold past a request that was overtaken.',
    file: 'library/decide.ts',
    right: "const last = connection.kind === 'socket' ? message.operations.at(-1)?.timestamp : undefined;",
    wrong: 'const last = message.operations.at(-1)?.timestamp;',
  },
  {
    name: 'sends operations on a socket that has not synced',
    breaks: ['OP-4'],
    harm: 'They are applied to what has not been brought up to date, and come twice.',
    file: 'library/broadcast.ts',
    right: 'if (socket === author && changes.mayBeWiped) owe(socket, changes);\n      continue;',
    wrong: '',
  },
  {
    name: 'stores the op of a replica that it does not know',
    breaks: ['OP-5'],
    harm: 'After an eviction one operation founds the library, and everybody is reset to it.',
    file: 'library/decide.ts',
    right: `  if (row === null || needsSync(draft, context, connection, row))
    return heard({ kind: 'refuse', error: syncFirst() });`,
    wrong: `  row ??= {
    ...{ id: message.replicaId, userId: connection.caller.userId, type: connection.caller.type },
    ...{ ackedOrder: 0, ackedTime: null, lastSeen: context.now, writtenThrough: null, lastReset: null, pending: [] },
  };`,
  },
  {
    name: 'stores the op of a replica that was away for too long, before it syncs',
    breaks: ['OP-6'],
    harm: 'It is dated before what others have folded.',
    file: 'library/decide.ts',
    right: `  if (row === null || needsSync(draft, context, connection, row))
    return heard(`,
    wrong: `  if (row === null)
    return heard(`,
  },
  {
    name: 'refuses an op that follows its sync in the same batch',
    breaks: ['OP-7'],
    harm: 'Who comes back is disconnected when writing at once.',
    file: 'library/decide.ts',
    right: '!draft.hasSynced(row.id) &&',
    wrong: '',
  },
  {
    name: 'stores what a reader writes',
    breaks: ['OP-8'],
    harm: 'A token that is read-only may write.',
    file: 'library/decide.ts',
    right: 'if (!mayWrite(connection.caller.type)) {',
    wrong: 'if (row?.id === undefined && !mayWrite(connection.caller.type)) {',
  },
  {
    name: 'does not acknowledge what is stored already',
    breaks: ['OP-9'],
    harm: 'The device offers it with each sync, for ever.',
    file: 'library/decide.ts',
    right: `  if (connection.kind === 'socket')
    effects.push(`,
    wrong: `  if (connection.kind === 'socket' && stored)
    effects.push(`,
  },
  {
    name: 'does not acknowledge an op without operations',
    breaks: ['OP-10'],
    harm: 'The device waits.',
    file: 'library/decide.ts',
    right: 'if (operations.length === 0 && message.operations.length > 0) return NOTHING;',
    wrong: 'if (operations.length === 0) return NOTHING;',
  },
  {
    name: 'does not take an op to say that nothing older will come',
    breaks: ['OP-11'],
    harm: 'The global ack waits for the next sync of who writes most.',
    file: 'library/decide.ts',
    right: 'ackedTime: last === undefined ? row.ackedTime : laterOf(row.ackedTime, last),',
    wrong: 'ackedTime: row.ackedTime,',
  },
  {
    name: 'goes on with connections after a commit whose outcome it did not know took effect',
    breaks: ['DUR-4'],
    harm: 'Those who are connected are never told of what was stored.',
    file: 'library/live-library.ts',
    right: "if (!isSame) this.disconnectAll('The library has changed beneath this connection. Sync again.');",
    wrong: '',
  },
  {
    name: 'fails all messages of a batch of which one cannot be stored',
    breaks: ['DUR-5'],
    harm: 'One client can keep others from writing.',
    file: 'library/batches.ts',
    right: 'if (known && units.length > 1) {',
    wrong: 'if (units.length > 100_000) {',
  },
  {
    name: 'leaves sockets open when it evicts a library',
    breaks: ['EVICT-2'],
    harm: 'Clients go on with a library that no longer holds anything.',
    file: 'library/evict.ts',
    right: "library.disconnectAll('The library was evicted. Connect again to restore it.');",
    wrong: '',
  },
  {
    name: 'forgets with an eviction which syncs it has answered',
    breaks: ['EVICT-6', 'SYNC-23'],
    harm: 'A request that a proxy repeats founds the library with a history that is out of date.',
    file: 'library/evict.ts',
    right: 'keepRequests(library.state, before);',
    wrong: '',
  },
  {
    name: 'lets an evicted library leave memory as soon as nobody is there',
    breaks: ['EVICT-6', 'EVICT-9', 'SYNC-23'],
    harm: 'A request of before the eviction that is delivered once more passes for a new one.',
    file: 'library/live-library.ts',
    right: 'return scheduler.now() - this.evictedAt < UNDER_WAY_MS ? null : this.#lastActive;',
    wrong: 'return this.#lastActive;',
  },
  {
    name: 'keeps an evicted user’s replicas in memory',
    breaks: ['EVICT-7'],
    harm: 'They go on as if nothing had happened.',
    file: 'library/library-handle.ts',
    right: 'for (const id of gone) library.state.replicas.delete(id);',
    wrong: '',
  },
  {
    name: 'tells in one message what several replicas wrote',
    breaks: ['OP-12'],
    harm: 'Who wrote a part of it is not told the rest.',
    file: 'library/releaser.ts',
    right: `      gathered?.author === author &&
      gathered.changes.replicaId === changes.replicaId &&
`,
    wrong: `      gathered !== null &&
`,
  },
  {
    name: 'gathers any amount into one message to others',
    breaks: ['OP-12'],
    harm: 'What took many messages to come takes one, of any length, to leave.',
    file: 'library/releaser.ts',
    right: 'gathered.length + length <= MAX_GATHERED_LENGTH',
    wrong: 'gathered.length + length <= Number.MAX_SAFE_INTEGER',
  },
];
