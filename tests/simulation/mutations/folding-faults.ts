import type { Fault } from './fault.js';

/** Of the global ack and of folding: rules [FOLD-…]. */
export const foldingFaults: readonly Fault[] = [
  {
    name: 'takes the highest acknowledged time for the global ack',
    breaks: ['FOLD-1'],
    harm: 'Others fold past what a slower device has yet to send.',
    file: 'library/consensus.ts',
    right: 'if (globalAck === null || row.ackedTime < globalAck) globalAck = row.ackedTime;',
    wrong: 'if (globalAck === null || row.ackedTime > globalAck) globalAck = row.ackedTime;',
  },
  {
    name: 'does not wait for passive replicas that are connected',
    breaks: ['FOLD-1', 'FOLD-7'],
    harm: 'Others fold past what they write.',
    file: 'library/consensus.ts',
    right: '(countsWhileAway(row.type) || attendance.isConnected(row));',
    wrong: 'countsWhileAway(row.type);',
  },
  {
    name: 'waits for passive replicas that are away',
    breaks: ['FOLD-13', 'FOLD-1'],
    harm: 'One reader who never comes back, and history grows for a week.',
    file: 'library/consensus.ts',
    right: '(countsWhileAway(row.type) || attendance.isConnected(row));',
    wrong: "(countsWhileAway(row.type) || row.id !== '');",
  },
  {
    name: 'waits for truants',
    breaks: ['FOLD-1', 'FOLD-4', 'EVICT-8'],
    harm: 'One lost phone, and history is never folded again.',
    file: 'library/consensus.ts',
    right: '!isTruant(row, attendance, activeSince) && (',
    wrong: '(',
  },
  {
    name: 'does not announce the global ack',
    breaks: ['FOLD-2'],
    harm: 'Devices that stay connected keep their whole history.',
    file: 'library/settler.ts',
    right: 'for (const socket of listeners) socket.outbox.send(text);',
    wrong: 'void text;',
  },
  {
    name: 'lets the announced global ack fall',
    breaks: ['FOLD-3'],
    harm: 'Devices have folded past it already.',
    file: 'library/settler.ts',
    right: 'globalAck > head.announcedAck);',
    wrong: 'globalAck !== head.announcedAck);',
  },
  {
    name: 'does not look for truants while nobody sends anything',
    breaks: ['FOLD-4'],
    harm: 'History is folded when the next one writes.',
    file: 'library/live-library.ts',
    right: `  tick(): void {
    this.settler.soon();`,
    wrong: `  tick(): void {`,
  },
  {
    name: 'announces the global ack before it is durable',
    breaks: ['FOLD-5'],
    harm: 'After a crash the server does not know what devices have folded.',
    file: 'library/settler.ts',
    right: `      const horizon = laterOf(head.horizon, globalAck);
`,
    wrong: `      const horizon = laterOf(head.horizon, globalAck);
      const early = encodeMessage({ type: 'global-ack', timestamp: globalAck });
      for (const socket of listeners) socket.outbox.send(early);
`,
  },
  {
    name: 'commits without the acks that are in memory',
    breaks: ['FOLD-5'],
    harm: 'After a crash a replica lacks, as far as the server knows, what was folded because it had it.',
    file: 'library/live-library.ts',
    right: 'return row ? [[id, row] as const] : [];',
    wrong: 'return row && change.fold === null ? [[id, row] as const] : [];',
  },
  {
    name: 'does not see that an open socket is there',
    breaks: ['FOLD-6'],
    harm: 'Who only reads turns truant while connected, and is reset after the next crash.',
    file: 'library/settler.ts',
    right: 'if (row && row.lastSeen < stale) changeSoftly',
    wrong: 'if (row && row.lastSeen < 0) changeSoftly',
  },
  {
    name: 'does not take a replica that polls for connected',
    breaks: ['FOLD-7'],
    harm: 'Others fold past what a passive one is about to send.',
    file: 'library/roll.ts',
    right: 'return this.#leases.has(keyOf(replica.userId, replica.id)) || this.hasSocket(replica);',
    wrong: 'return this.hasSocket(replica);',
  },
  {
    name: 'keeps the type that a replica had at first',
    breaks: ['FOLD-8'],
    harm: 'A device that became passive is waited for, or the other way round.',
    file: 'library/incoming-sync.ts',
    right: 'type: caller.type,',
    wrong: 'type: known?.type ?? caller.type,',
  },
  {
    name: 'folds what not every replica holds',
    breaks: ['FOLD-9'],
    harm: 'Who lacks it has to be reset, and loses what was written there.',
    file: 'library/rebaser.ts',
    right: 'return { through: heldThrough ?? head.order, before: head.announcedAck };',
    wrong: 'return { through: head.order, before: head.announcedAck };',
  },
  {
    name: 'folds what is above the announced global ack',
    breaks: ['FOLD-9'],
    harm: 'A change that is dated before it can still come.',
    file: 'library/rebaser.ts',
    right: 'return { through: heldThrough ?? head.order, before: head.announcedAck };',
    wrong:
      'return { through: heldThrough ?? head.order, before: (head.announcedAck.slice(0, 4) + "zzzzzzzzz") as never };',
  },
  {
    name: 'takes the highest acked order for the one that all hold',
    breaks: ['FOLD-9'],
    harm: 'Who lacks it has to be reset, and loses what was written there.',
    file: 'library/consensus.ts',
    right: 'if (heldThrough === null || row.ackedOrder < heldThrough) heldThrough = row.ackedOrder;',
    wrong: 'if (heldThrough === null || row.ackedOrder > heldThrough) heldThrough = row.ackedOrder;',
  },
  {
    name: 'folds the operations of an object in the order in which they came',
    breaks: ['FOLD-10'],
    harm: 'Server and devices disagree about what was written at the same time.',
    file: 'library/rebase.ts',
    right: `for (const row of operations) {
    const patch`,
    wrong: `for (const row of [...operations].sort((a, b) => a.order - b.order)) {
    const patch`,
  },
  {
    name: 'gives a baseline the timestamp of the first operation in it',
    breaks: ['FOLD-11'],
    harm: 'Whoever is reset to it applies the others once more.',
    file: 'library/rebase.ts',
    right: 'const last = operations.at(-1)!.timestamp;',
    wrong: 'const last = operations[0]!.timestamp;',
  },
  {
    name: 'folds a private document into a public baseline',
    breaks: ['FOLD-11', 'PRIV-3'],
    harm: 'Everybody reads it.',
    file: 'library/rebase.ts',
    right: "if (patch.op === 'initialize') authz = row.authz;",
    wrong: '',
  },
  {
    name: 'keeps the baseline of an object that was deleted',
    breaks: ['FOLD-11'],
    harm: 'It comes back.',
    file: 'library/rebase.ts',
    right: 'if (baseline) plan.removeBaselines.push(oid);',
    wrong: '',
  },
  {
    name: 'applies a late change to an object that was deleted and folded',
    breaks: ['FOLD-14'],
    harm: 'It is back on the server, and on no device.',
    file: 'library/rebase.ts',
    right: 'state: baseline ? (JSON.parse(baseline.snapshot) as PlainObject) : undefined,',
    wrong: 'state: baseline ? (JSON.parse(baseline.snapshot) as PlainObject) : ({} as PlainObject),',
  },
  {
    name: 'begins its count anew when everything is folded',
    breaks: ['FOLD-16'],
    harm: 'A replica that holds the old 5 is not sent the new one.',
    file: 'library/admission.ts',
    right: 'this.#order = options.draft.head.order;',
    wrong: 'this.#order = options.draft.head.operations === 0 ? 0 : options.draft.head.order;',
  },
  {
    name: 'folds though it is told not to',
    breaks: ['FOLD-18'],
    harm: 'An operator who wanted to keep all history has lost it.',
    file: 'library/rebaser.ts',
    right: 'if (services.settings.disableRebasing || head.operations',
    wrong: 'if (head.operations',
  },
  {
    name: 'removes what it folds before it stores the baselines',
    breaks: ['FOLD-12'],
    harm: 'A crash between the two, and the documents are gone.',
    file: 'library/rebaser.ts',
    right: `      await library.commit({
        ...rebaseChange(head, plan, baselines, started),
`,
    wrong: `      const whole = rebaseChange(head, plan, baselines, started);
      await library.commit({ head: whole.head, fold: whole.fold });
      await library.commit({
        ...whole,
        head: { ...whole.head, version: whole.head.version + 1 },
        fold: [],
`,
  },
  {
    name: 'cannot fold an object that was never initialised',
    breaks: ['FOLD-15'],
    harm: 'Anybody can stop the folding of all documents.',
    file: 'library/rebase.ts',
    right: 'if (baseline) plan.removeBaselines.push(oid);\n    return;',
    wrong: `if (baseline) plan.removeBaselines.push(oid);
    else if (operations.every(({ data }) => !data.includes('"initialize"'))) throw new Error('There is no such object.');
    return;`,
  },
  {
    name: 'folds while an answer is being sent',
    breaks: ['FOLD-17'],
    harm: 'The rest of the answer lacks what was folded meanwhile.',
    file: 'library/reply.ts',
    right: 'return releasing(context.pin, replyParts(reply, context));',
    wrong: 'context.pin.release();\n  return releasing(context.pin, replyParts(reply, context));',
  },
];
