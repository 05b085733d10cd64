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

const SYNC = 'packages/core/src/sync.test.ts';
const OPERATIONS = 'packages/core/src/operations.test.ts';
const ACCESS = 'packages/core/src/access.test.ts';
const EVICT = 'packages/core/src/evict.test.ts';
const LATE = 'packages/core/src/late.test.ts';
const CONSENSUS = 'packages/core/src/consensus.test.ts';

/**
 * The faults that break none of the first 500 worlds, all of which were looked through for each. That its test fails with it is
 * verified by `pnpm simulate:mutations --tests`; `FAULT='<name>' npx vitest run --config tests/vitest.mutations.config.ts <file>`
 * plants one.
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
    name: 'lets a history that was long under way replace a newer one',
    why: 'No request of the simulation is under way for as long as a founding takes that comes again.',
    file: SYNC,
    test: '[SYNC-24] nor does a history that was long under way replace what the replica has sent since',
  },
  {
    name: 'does not say in an answer what the global ack is',
    why: 'A device that folds later than it may holds the same documents.',
    file: SYNC,
    test: '[SYNC-28] is told everybody present, itself included, and the global ack',
  },
  {
    name: 'takes an op over HTTP to say that nothing older will come',
    why: 'The server waits half a second before it announces a global ack, in which the older one comes, too.',
    file: OPERATIONS,
    test: '[OP-3] [SYNC-27] over HTTP does not say that nothing older will come: another request may have failed',
  },
  {
    name: 'refuses an op that follows its sync in the same batch',
    why: 'A device that is refused connects and syncs again.',
    file: OPERATIONS,
    test: '[OP-7] of a passive replica may come right behind its sync',
  },
  {
    name: 'stores what a reader writes',
    why: 'What is stored is shown to all, so that all agree about it.',
    file: OPERATIONS,
    test: '[OP-8] from a read-only token is forbidden',
  },
  {
    name: 'does not acknowledge what is stored already',
    why: 'A device offers it again with its next sync, which is answered.',
    file: OPERATIONS,
    test: '[OP-9] that is repeated is acknowledged again, and stored and sent once',
  },
  {
    name: 'does not acknowledge an op without operations',
    why: 'No device sends one.',
    file: OPERATIONS,
    test: '[OP-10] without operations is acknowledged, and nobody is sent an empty broadcast',
  },
  {
    name: 'does not take an op to say that nothing older will come',
    why: 'The next sync says it.',
    file: OPERATIONS,
    test: '[OP-11] on a socket says that nothing older than its last operation will come',
  },
  {
    name: 'fails all messages of a batch of which one cannot be stored',
    why: 'Commits of the simulation fail for all of their messages, or for none.',
    file: OPERATIONS,
    test: '[DUR-5] a message that breaks a commit takes no other with it',
  },
  {
    name: 'lets an acked logical time move back',
    why: 'What is announced never falls, whatever is acknowledged.',
    file: CONSENSUS,
    test: '[ACK-6] acked logical time is what an ack says, and never moves back',
  },
  {
    name: 'takes an ack over HTTP for proof',
    why: 'No device sends one.',
    file: SYNC,
    test: '[PROOF-5] not by the same ack over HTTP, which was sent nothing',
  },
  {
    name: 'remembers the last answer only',
    why: 'What is not proven is told again, at the price of its bytes.',
    file: SYNC,
    test: '[PROOF-14] of polls that overlap, each is proven by its own timestamp: nothing is told twice',
  },
  {
    name: 'does not announce the global ack',
    why: 'A device that folds later than it may holds the same documents.',
    file: CONSENSUS,
    test: '[FOLD-1] [FOLD-2] is the least of what those that count have acknowledged, announced when it rose, coalesced',
  },
  {
    name: 'keeps the type that a replica had at first',
    why: 'A device of the simulation keeps its type.',
    file: CONSENSUS,
    test: '[FOLD-8] has the type of the token that it last synced with',
  },
  {
    name: 'folds though it is told not to',
    why: 'Every server of the simulation may fold.',
    file: CONSENSUS,
    test: '[FOLD-18] is kept where rebasing is disabled',
  },
  {
    name: 'believes at once that the baselines of a founding have arrived',
    why: 'A socket would have to break in the moment in which a library is founded.',
    file: SYNC,
    test: '[SYNC-8] not to one that was sent the founding, and was heard of',
  },
  {
    name: 'adds a history that comes again to what it has folded of it',
    why: 'A founder seldom stays the only one until it has folded.',
    file: SYNC,
    test: '[SYNC-19] nor when the history that it sends again was folded on the device meanwhile',
  },
  {
    name: 'lets a history that comes again take the place of what was written while it was read',
    why: 'The clients of the simulation read their histories in one go.',
    file: SYNC,
    test: '[SYNC-33] nor does that take the place of what it wrote while it read its history: stored, though not in it',
  },
  {
    name: 'takes an ack with a nonce for one with a timestamp',
    why: 'No device sends one.',
    file: SYNC,
    test: '[PROOF-4] not by a nonce',
  },
  {
    name: 'does not send back what a reset has wiped',
    why: 'The next sync sends it.',
    file: SYNC,
    test: '[PROOF-9] [PROOF-10] what a replica writes while it applies a reset is sent back, until it says that it holds it',
  },
  {
    name: 'does not look for truants while nobody sends anything',
    why: 'Somebody always sends something.',
    file: CONSENSUS,
    test: '[FOLD-4] rises when a replica that counted turns truant, with nobody sending anything',
  },
  {
    name: 'commits without the acks that are in memory',
    why: 'They come again, with the next ack or sync.',
    file: CONSENSUS,
    test: '[FOLD-5] is durable before it is announced, with the acks that it relies on',
  },
  {
    name: 'does not see that an open socket is there',
    why: 'Devices connect anew more often than they could turn truant.',
    file: CONSENSUS,
    test: '[FOLD-6] is seen by an open socket that has synced, not by connecting or by its presence',
  },
  {
    name: 'understands keys in its own encoding only',
    why: 'User ids of the simulation are the same in both.',
    file: ACCESS,
    test: '[PRIV-1] [PRIV-2] is understood',
  },
  {
    name: 'makes a public document private where an initialize says so',
    why: 'No device tries to.',
    file: ACCESS,
    test: '[PRIV-5] is not made of a public one, which nobody can take',
  },
  {
    name: 'lets anybody create a document that is private to somebody else',
    why: 'No device tries to.',
    file: ACCESS,
    test: '[PRIV-8] cannot be made for somebody else',
  },
  {
    name: 'stores operations from the future',
    why: 'Clocks of the simulation differ by less than is allowed.',
    file: SYNC,
    test: '[CLOCK-1] [CLOCK-2] of operations too far ahead: the message is refused whole, over both transports',
  },
  {
    name: 'echoes the time of a clock that is ahead',
    why: 'Clocks of the simulation differ by less than is allowed.',
    file: SYNC,
    test: '[CLOCK-3] of a fast clock are clamped before they are echoed',
  },
  {
    name: 'records the time of an ack from the future',
    why: 'Clocks of the simulation differ by less than is allowed.',
    file: SYNC,
    test: '[CLOCK-4] of an op and of an ack are clamped before they are echoed or recorded',
  },
  {
    name: 'does not see that a replica lacks what others founded the library with',
    why: 'Not in 500 worlds: a device has to be recorded while the library is empty, and to miss its founding.',
    file: SYNC,
    test: '[SYNC-7] gives its baselines to those recorded before, who hold none of them, and keeps what they bring',
  },
  {
    name: 'lets a passive replica merge what others may have folded past',
    why: 'Not in 500 worlds: what comes too late for others is mended, [LATE-1].',
    file: SYNC,
    test: '[SYNC-15] when it was away uncounted and brings changes that others may have folded past',
  },
  {
    name: 'forgets the keys of folded operations as soon as their author has synced past them',
    why: 'Not in 500 worlds: a sync has to overtake a request, and what that brings to be folded meanwhile.',
    file: SYNC,
    test: '[SYNC-22] stores once what a request brings that was overtaken, also after its since has passed it',
  },
  {
    name: 'stores the op of a replica that was away for too long, before it syncs',
    why: 'Not in 500 worlds: what comes too late for others is mended, [LATE-1].',
    file: OPERATIONS,
    test: '[OP-6] of a truant is not stored before it has synced',
  },
  {
    name: 'forgets with an eviction which syncs it has answered',
    why: 'Not in 500 worlds: a sync has to come twice, with an eviction between.',
    file: EVICT,
    test: '[EVICT-6] does not make a sync new that was answered before it, and is delivered once more',
  },
  {
    name: 'keeps an evicted user’s replicas in memory',
    why: 'Not in 500 worlds: such a device lacks nothing, so that all agree without its reset.',
    file: EVICT,
    test: '[EVICT-7] evictUser forgets the replicas of a user, who are reset when they return, and nobody else',
  },
  {
    name: 'takes an ack of what it has not sent for one of everything',
    why: 'Not in 500 worlds: a device has to acknowledge on one connection what came over another.',
    file: CONSENSUS,
    test: '[ACK-2] is never beyond what the connection was sent',
  },
  {
    name: 'waits for replicas to acknowledge what they may not see',
    why: 'Not in 500 worlds: something that all may see follows soon, and is acknowledged.',
    file: ACCESS,
    test: '[ACK-4] is not reset over its private parts: what it may not see is acknowledged by itself',
  },
  {
    name: 'takes the ack of a replica that was away for too long',
    why: 'Not in 500 worlds: a device that was away connects anew, and syncs first.',
    file: CONSENSUS,
    test: '[ACK-5] an ack of a replica that has been away for too long is ignored until it has synced',
  },
  {
    name: 'takes a replica to hold what it writes while a reset is pending',
    why: 'Not in 500 worlds: a page has to write in the moments in which it applies a reset.',
    file: SYNC,
    test: '[PROOF-9] [PROOF-10] what a replica writes while it applies a reset is sent back, until it says that it holds it',
  },
  {
    name: 'forgets that it owes a replica what a reset may have wiped',
    why: 'Not in 500 worlds: a page has to write in the moments in which it applies a reset.',
    file: SYNC,
    test: '[PROOF-10] or by the next sync, where that is more than a socket remembers',
  },
  {
    name: 'takes a replica to hold what it wrote before it applied a reset and sends when it has said so',
    why: 'Not in 500 worlds: a page has to write in the moments in which it applies a reset.',
    file: SYNC,
    test: '[PROOF-11] what a replica wrote before it applied a reset, and sends when it has said so, is stored and sent back',
  },
  {
    name: 'takes a replica to hold what its sync brings that proves the first of two resets',
    why: 'Not in 500 worlds: two resets are seldom under way at once.',
    file: SYNC,
    test: '[PROOF-9] [PROOF-12] what a sync brings that proves the first of two resets, the second may wipe: it is sent back',
  },
  {
    name: 'takes an answer that came between two resets to be held once it is acknowledged',
    why: 'Not in 500 worlds: two resets are seldom under way at once.',
    file: SYNC,
    test: '[PROOF-12] nor is an answer that came between them held, once it is acknowledged',
  },
  {
    name: 'waits for ever for proof of a second reset that was lost with its socket',
    why: 'Not in 500 worlds: two resets are seldom under way at once.',
    file: SYNC,
    test: '[PROOF-12] or when it acknowledges what a later socket brought: by then the second is applied, or was lost',
  },
  {
    name: 'takes a replica to hold what it wrote before its last reset and sends after it',
    why: 'Not in 500 worlds: a queue has to outlive a reset.',
    file: SYNC,
    test: '[PROOF-11] what a replica wrote before a reset, and had still waiting to be sent, is stored and sent back',
  },
  {
    name: 'takes two resets for one where either is applied',
    why: 'Not in 500 worlds: two resets are seldom under way at once.',
    file: SYNC,
    test: '[PROOF-12] of two resets on one socket each needs its own: the second wipes what was written between them',
  },
  {
    name: 'takes the highest acknowledged time for the global ack',
    why: 'Not in 500 worlds: what comes too late for others is mended, [LATE-1].',
    file: CONSENSUS,
    test: '[FOLD-1] [FOLD-4] rises when a passive replica leaves',
  },
  {
    name: 'waits for passive replicas that are away',
    why: 'Not in 500 worlds: at the end, when it is looked at what is folded, everybody is there.',
    file: CONSENSUS,
    test: '[FOLD-1] [FOLD-4] rises when a passive replica leaves',
  },
  {
    name: 'waits for truants',
    why: 'Not in 500 worlds: at the end, when it is looked at what is folded, everybody is there.',
    file: CONSENSUS,
    test: '[FOLD-4] rises when a replica that counted turns truant, with nobody sending anything',
  },
  {
    name: 'does not take a replica that polls for connected',
    why: 'Not in 500 worlds: what comes too late for others is mended, [LATE-1].',
    file: CONSENSUS,
    test: '[FOLD-7] [FOLD-13] is not held back by a passive replica that is away',
  },
  {
    name: 'gives a baseline the timestamp of the first operation in it',
    why: 'Not in 500 worlds: what is folded is not sent again beside its baseline.',
    file: CONSENSUS,
    test: '[FOLD-11] is folded to the time of the last operation and the access of the last initialize',
  },
  {
    name: 'takes an operation without a key for public, whatever its document is',
    why: 'Devices of the simulation name the key in each operation.',
    file: ACCESS,
    test: '[PRIV-3] [PRIV-4] is kept from others when it is in baselines',
  },
  {
    name: 'writes several objects anew at the same time',
    why: 'What is sent in one message is taken in by one transaction.',
    file: LATE,
    test: '[LATE-2] is followed by a time of its own for each object: acknowledging one says nothing of the next',
  },
  {
    name: 'does not tell a replica’s socket of what it wrote over HTTP',
    why: 'A page of the simulation that changes to HTTP closes its socket, and holds what it sends.',
    file: SYNC,
    test: '[SYNC-30] over HTTP and a socket at once sees one order',
  },
  {
    name: 'takes a replica to hold what the original server told it, whatever that was',
    why: 'No library of the simulation was taken over from the original server.',
    file: 'packages/core/src/owed-reset.test.ts',
    test: '[SYNC-31] is reset at its next sync, and keeps what it brings',
  },
  {
    name: 'lists the objects of a document in the order of their ids',
    why: 'Simulated devices have no documents on a screen, which is where a 5.x client shows it.',
    file: SYNC,
    test: '[SYNC-32] to baselines of which those of nested objects come before those that refer to them',
  },
  {
    name: 'gathers any amount into one message to others',
    why: 'No device of the simulation writes as much at once.',
    file: OPERATIONS,
    test: '[OP-12] that is large is told by itself',
  },
  {
    name: 'keeps the key of a deleted private document for the public one that follows it',
    why: 'Keys of private documents have their owners in them, and nobody else writes there.',
    file: ACCESS,
    test: '[PRIV-6] that was deleted takes the access of the initialize that follows',
  },
  {
    name: 'folds what was written to a private document into the public one that follows it',
    why: 'Keys of private documents have their owners in them, and nobody else writes there.',
    file: ACCESS,
    test: '[PRIV-6] what was written to it, dated after the public one, is not in a snapshot of that',
  },
  {
    name: 'puts a late change above everything that is there',
    why: 'What the server adds is what all devices agree about, whatever is in it.',
    file: LATE,
    test: '[LATE-3] stands where its time says, where that can still be told apart',
  },
  {
    name: 'lets a late version of a whole object take the place of a newer one',
    why: 'What the server adds is what all devices agree about, whatever is in it.',
    file: LATE,
    test: '[LATE-3] an older version of the whole object does not take the place of a newer one',
  },
  {
    name: 'puts the default of a migration above what was written',
    why: 'What the server adds is what all devices agree about, whatever is in it.',
    file: LATE,
    test: '[LATE-4] as the default of a migration stays below what was written since',
  },
  {
    name: 'deletes an object that is not there when a change comes late for it',
    why: 'All devices agree that it is not there.',
    file: LATE,
    test: '[LATE-8] for an object that is not there, and makes none, is passed on alone',
  },
  {
    name: 'lets an evicted library leave memory as soon as nobody is there',
    why: 'Not in 500 worlds: a request has to come twice, with an eviction between, after which nobody is there for a moment.',
    file: EVICT,
    test: '[EVICT-6] nor where nobody was there for a while, and the library could leave memory',
  },
];
