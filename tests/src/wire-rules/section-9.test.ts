import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/*
 * PROTOCOL.md section 9, "What the original server gets wrong", line by line, with the test that would fail on it.
 * Most are in section-9-*.test.ts beside this file; some can only be seen from within, and are in packages/.
 * Below it is checked that each of them is there, under that name.
 */
const ENGINE = 'tests/src/wire-rules/section-9-engine.test.ts';
const ACKS = 'tests/src/wire-rules/section-9-acks.test.ts';
const EDGES = 'tests/src/wire-rules/section-9-edges.test.ts';
const RESOURCES = 'tests/src/wire-rules/section-9-resources.test.ts';
const STORMS = 'tests/src/wire-rules/storms.test.ts';
const HANDLES = 'packages/storage-sqlite/src/handles.test.ts';

const table: [line: string, file: string, name: string][] = [
  ['rebroadcasting before storing', ENGINE, 'neither sender nor peer hears of an operation while its commit'],
  [
    'rebroadcasting before storing',
    ENGINE,
    'what could not be stored reaches nobody and is not acknowledged',
  ],
  [
    'rebroadcasting before storing',
    'tests/src/durability.test.ts',
    'what was acknowledged or shown survives kill -9',
  ],
  ['concurrent messages of one library', ENGINE, 'a sync that comes while an operation is being stored'],
  ['one malformed frame ends the process', ENGINE, 'ends neither process nor library'],
  ['a rejected patch is stored and stops rebases', ENGINE, 'is refused at the door, and history goes on'],
  ['a falsy list-insert', ENGINE, 'a list-insert of %j is stored, and folded to what it says'],
  ['one document stops a rebase', ENGINE, 'a document whose patches do not fit it stops neither'],
  ['a nonce is taken as proof', ACKS, 'is given again: %s'],
  ['a lost reset reply', ACKS, 'a lost reset is repeated'],
  [
    'HTTP op requests are acknowledged one by one',
    ACKS,
    'an op gets no server-ack, and is confirmed by the next sync',
  ],
  [
    'a folded operation is applied again',
    ENGINE,
    'an operation that was folded and is sent again is not applied twice',
  ],
  ["the founder's baselines never come", ACKS, 'baselines when it returns'],
  ['a listener behind an await', ENGINE, 'messages that come with the upgrade itself are not lost'],
  ['a listener behind an await', ENGINE, 'messages that come while the library is being opened'],
  [
    'a handle is closed under its library',
    RESOURCES,
    'that is used, or comes back, after hours is still there',
  ],
  ['a late set revives a folded deletion', ENGINE, 'a late set on an object that was deleted and folded'],
  [
    'a rebase in two transactions',
    'packages/testkit/src/storage/commits.ts',
    'a commit that fails half-way leaves nothing behind',
  ],
  ['a rebase in two transactions', RESOURCES, 'baselines and what they fold are in one commit'],
  ['durability is accidental', HANDLES, 'a database runs with the same pragmas each time that it is opened'],
  ['error bodies encoded twice', EDGES, 'are JSON objects, not strings that hold JSON'],
  ['a bad signature answers 500', EDGES, 'a bad signature is 401'],
  ['uploads: answered before they are on disk', EDGES, 'are answered when the bytes are stored, not before'],
  ['uploads: the name is a path', EDGES, 'do not leave their folder by %s'],
  ['uploads: no limit', EDGES, 'over the limit are 413, and leave no file'],
  ['sockets outlive their token', EDGES, 'do not outlive their token'],
  ['a dead peer is never noticed', EDGES, 'of a peer that is dead are noticed'],
  ["a slow reader's buffer grows", EDGES, 'of a slow reader are closed when too much waits'],
  ['each message is serialised for every connection', EDGES, 'of many readers cost one serialisation'],
  ['debug lines that nobody reads', RESOURCES, 'an operation logs nothing'],
  [
    'full scans of the history',
    'packages/storage-sqlite/src/query-plans.test.ts',
    'every statement finds its rows by an index',
  ],
  ['statements prepared anew', RESOURCES, 'prepares no statement anew'],
  ['handles kept open', HANDLES, 'a library that is closed lets go of its file'],
  ['passive replicas hold back compaction', ENGINE, 'an away passive replica does not hold folding back'],
  ['N² messages', STORMS, 'one operation in a library of %i sockets costs O(N) messages'],
  ['N² messages', STORMS, 'a burst of operations among 40 acking sockets'],
  ['a token type given as text', EDGES, 'of the read-only type %j given as text may not write'],
  ['any HMAC, no expiry, no library, objects', EDGES, 'with %s could never have been ours'],
  ['the file id is a path', EDGES, "['an id', '../../../../escaped'"],
  ["an operation's own authz alone", EDGES, 'an operation without authz on it goes to its user alone'],
  ['a rebase for every message', RESOURCES, 'are folded in few passes, not in one for each'],
  ['a failed profile is cached', EDGES, 'whose look-up failed are looked up again'],
  [
    'HTTP presence is never lost, expired presence is sent',
    EDGES,
    'ends with its lease, the others are told',
  ],
];

describe('section 9', () => {
  test.each(table)('%s: proven in %s', (_, file, name) => {
    const path = fileURLToPath(new URL(`../../../${file}`, import.meta.url));
    expect(readFileSync(path, 'utf8')).toContain(name);
  });
});
