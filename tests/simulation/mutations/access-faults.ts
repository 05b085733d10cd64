import type { Fault } from './fault.js';

/** Of private documents and of clocks: rules [PRIV-…], [CLOCK-…]. */
export const accessFaults: readonly Fault[] = [
  {
    name: 'understands keys in its own encoding only',
    breaks: ['PRIV-1'],
    harm: 'Who has an umlaut in the user id cannot write private documents from a browser.',
    file: 'library/access.ts',
    right:
      'authz === caller.authz || authzGrants(authz, caller.userId) || authzGrants(authz, ORIGINATOR_SUBJECT)',
    wrong: 'authz === caller.authz || authzGrants(authz, ORIGINATOR_SUBJECT)',
  },
  {
    name: 'does not know who the originator is',
    breaks: ['PRIV-2'],
    harm: 'What was written before the first sync is refused.',
    file: 'library/access.ts',
    right:
      'authz === caller.authz || authzGrants(authz, caller.userId) || authzGrants(authz, ORIGINATOR_SUBJECT)',
    wrong: 'authz === caller.authz || authzGrants(authz, caller.userId)',
  },
  {
    name: 'answers a sync with what others wrote in private',
    breaks: ['PRIV-3'],
    harm: 'Everybody reads it.',
    file: 'library/reply.ts',
    right: 'if ((text.authz !== null && text.authz !== authz) || !isListed(text)) continue;',
    wrong: 'if (!isListed(text)) continue;',
  },
  {
    name: 'tells everybody of what is written in private',
    breaks: ['PRIV-3'],
    harm: 'Everybody reads it.',
    file: 'library/broadcast.ts',
    right: 'operations.filter(({ row }) => row.authz === null || row.authz === authz);',
    wrong: 'operations.filter(({ row }) => row.authz === null || row.authz !== undefined);',
  },
  {
    name: 'takes an operation without a key for public, whatever its document is',
    breaks: ['PRIV-4'],
    harm: 'What 3.x writes to a private document goes to everybody.',
    file: 'library/access.ts',
    right: 'return allow(row.authz, deletes ? { ...row, deleted: true } : null);',
    wrong: 'return allow(given, deletes ? { ...row, deleted: true } : null);',
  },
  {
    name: 'makes a public document private where an initialize says so',
    breaks: ['PRIV-5'],
    harm: 'Anybody can take a document away from all others.',
    file: 'library/access.ts',
    right: 'if (!view.isAlone && view.isPublic(root)) return REFUSED;',
    wrong: '',
  },
  {
    name: 'lets anybody write to a private document',
    breaks: ['PRIV-7'],
    harm: 'Who knows its id can change or delete it.',
    file: 'library/access.ts',
    right: 'if (row.authz !== caller.authz) return REFUSED;',
    wrong: '',
  },
  {
    name: 'lets anybody create a document that is private to somebody else',
    breaks: ['PRIV-8'],
    harm: 'It can be planted where only its victim sees it.',
    file: 'library/access.ts',
    right: "if (given === 'foreign') return REFUSED;",
    wrong: "if (given === 'foreign') return allow(operation.authz as never, null);",
  },
  {
    name: 'stores operations from the future',
    breaks: ['CLOCK-1', 'CLOCK-2'],
    harm: 'Every device that receives one throws, and stops.',
    file: 'library/admission.ts',
    right: 'if (ahead <= 0) return null;',
    wrong: 'if (ahead <= Number.MAX_SAFE_INTEGER) return null;',
  },
  {
    name: 'echoes the time of a clock that is ahead',
    breaks: ['CLOCK-3'],
    harm: 'When the clock is set right, what the device writes is never sent.',
    file: 'library/incoming-sync.ts',
    right: 'this.timestamp = clampTimestamp(message.timestamp, context.now + context.maxClockDrift);',
    wrong: 'this.timestamp = message.timestamp;',
  },
  {
    name: 'records the time of an ack from the future',
    breaks: ['CLOCK-4'],
    harm: 'The global ack runs ahead of what is still to come.',
    file: 'library/decide.ts',
    right: 'clampTimestamp(timestamp, context.now + context.maxClockDrift);',
    wrong: 'clampTimestamp(timestamp, context.now * 2);',
  },
  {
    name: 'keeps the key of a deleted private document for the public one that follows it',
    breaks: ['PRIV-6'],
    harm: 'What somebody made for all is seen by the former owner alone.',
    file: 'library/access.ts',
    right:
      'return allow(null, row !== null && row.authz !== null ? { root, authz: null, deleted: false } : null);',
    wrong:
      'return allow(row?.authz ?? null, row !== null && row.authz !== null ? { ...row, deleted: false } : null);',
  },
  {
    name: 'folds what was written to a private document into the public one that follows it',
    breaks: ['PRIV-6'],
    harm: 'Everybody reads it.',
    file: 'library/rebase.ts',
    right: "if (patch.op !== 'initialize' && row.authz !== null && row.authz !== authz) continue;",
    wrong: '',
  },
];
