/** A fault that no world shows, and the test that does. */
export interface Unfound {
  /** Of the fault. */
  readonly name: string;
  /** Why no world shows it. */
  readonly why: string;
  /** From the repository's root. */
  readonly file: string;
  /** The test's name, or as much of it as stands in its source. */
  readonly test: string;
}

const LATE = 'packages/core/src/late.test.ts';
const SYNC = 'packages/core/src/sync.test.ts';

/**
 * The faults that are not found in the worlds that CI runs. `FAULT='<name>' npx vitest run --config
 * tests/vitest.mutations.config.ts <file>` plants one, and its test fails.
 */
export const unfound: readonly Unfound[] = [
  {
    name: 'records a read-only replica in an empty library',
    why: 'No reader has anything that others lack, so that one who founds a library loses nothing that is looked for.',
    file: SYNC,
    test: '[SYNC-5] leaves a reader as it is, also one that brings content, and does not record it',
  },
  {
    name: 'ignores that a replica asks to be treated as new',
    why: 'A client that asks for that sends its whole history, too, which resets it by another rule.',
    file: SYNC,
    test: '[SYNC-11] when it asks to be treated as new',
  },
  {
    name: 'does not reset a replica that sends its whole history',
    why: 'A client that sends that asks to be treated as new, too, which resets it by another rule.',
    file: SYNC,
    test: '[SYNC-12] when it sends its whole history to a library of others',
  },
  {
    name: 'does not reset a truant',
    why: 'What it writes has to be dated before what others have folded, which is rare among the first worlds.',
    file: SYNC,
    test: '[SYNC-13] when it was away for too long and others have written',
  },
  {
    name: 'resets a truant that has missed nothing',
    why: 'What a reset forfeits is not missed: it may do that.',
    file: SYNC,
    test: '[SYNC-13] but not when nobody has',
  },
  {
    name: 'does not reset a reader that has written',
    why: 'What readers hold of their own is left out of the reckoning.',
    file: SYNC,
    test: '[SYNC-16] when it is read-only and brings content, or it would never sync again',
  },
  {
    name: 'resets a founder that sends its history again',
    why: 'What a reset forfeits is not missed: it may do that.',
    file: SYNC,
    test: '[SYNC-18] not when the reply to its founding was lost: its history is merged',
  },
  {
    name: 'resets a replica again while it applies a reset',
    why: 'Simulated devices have no documents on a screen, which is where a 5.x client shows it.',
    file: SYNC,
    test: '[SYNC-20] once, when it changes to a socket while it applies the reset that it was sent over HTTP',
  },
  {
    name: 'does not take what a reset brought for folded',
    why: 'A device that was reset folds that at once only before its first sync, and clocks have to differ by then.',
    file: LATE,
    test: '[LATE-1] is one dated before what a reset has brought',
  },
  {
    name: 'writes several objects anew at the same time',
    why: 'What is sent in one message is taken in by one transaction.',
    file: LATE,
    test: '[LATE-2] is followed by a time of its own for each object: acknowledging one says nothing of the next',
  },
];
