import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createVerdant, LocalFileStorage } from '@verdant-web/server';
import Database from 'better-sqlite3';
import { Random } from '../../simulation/random.js';
import { NOTES } from './journal.js';
import { RecordedReplica, tokenOf } from './recorded-replica.js';
import { openStorage, type Recording } from './recording.js';
import { bytesOf, type Told } from './told.js';

/*
 * The server whose every change of a file is recorded, with its devices in the same process: what these are told is noted in
 * the journal between the changes. It founds libraries, small and large, writes, folds, evicts, revokes, takes files,
 * lets libraries leave memory, and ends.
 */
const { kind, durability, planted, seed, messages } = JSON.parse(process.argv[2]!) as Recording;
const root = process.argv[3]!;
const random = new Random(seed, 'recorded');
const LIBRARIES = ['quiet', 'busy', 'evicted', 'large'];
const MAX_UNCONFIRMED = 6;

// Faults that have to be found.
if (planted === 'synchronous off') {
  const pragma = Database.prototype.pragma;
  Database.prototype.pragma = function (text, options) {
    return pragma.call(this, text.replace(/^synchronous = \w+/, 'synchronous = OFF'), options);
  };
}
if (planted === 'no sync of files and folders') {
  fs.fsyncSync = () => {};
  syncBuiltinESMExports();
}

const notes = fs.openSync(join(root, NOTES), 'a');
const note = (told: Told) => void fs.writeSync(notes, `${JSON.stringify(told)}\n`);

const files = new LocalFileStorage({ rootDirectory: join(root, 'files'), host: 'http://localhost/files' });
const core = createVerdant({
  storage: openStorage(root, kind, durability),
  fileStorage: files,
  tokenSecret: 'a secret of the tests, long enough for anyone',
  libraryIdleMs: 200,
  limits: { maxWholeMessageLength: 50_000 },
  log: (level, message, fields) => {
    if (level === 'error') throw new Error(`${message} ${JSON.stringify(fields)}`);
  },
});

let documents = 0;
const oids = (count: number): string[] => Array.from({ length: count }, () => `items/d-${++documents}`);

const replicas = LIBRARIES.flatMap((library) =>
  [1, 2].map((n) => new RecordedReplica(core, library, `${library}${n}`, note)),
);

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) {
      const states = replicas.map(({ id, isSynced, unconfirmed, lastClose }) => [
        id,
        isSynced,
        unconfirmed,
        lastClose,
      ]);
      throw new Error(`The server did not do what was waited for: ${JSON.stringify(states)}`);
    }
    await turn();
  }
}

async function connect(replica: RecordedReplica, more: readonly string[] = []): Promise<void> {
  replica.connect(more);
  await until(() => replica.isSynced);
}

async function found(library: string, documentCount: number): Promise<void> {
  const [first, ...others] = replicas.filter((replica) => replica.library === library);
  await connect(first!, oids(documentCount));
  for (const replica of others) await connect(replica);
}

async function evict(library: string): Promise<void> {
  note({ did: 'evicting', library });
  await core.evict(library);
  note({ did: 'evicted', library });
  // Who held it starts anew here, as other devices.
  const place = replicas.findIndex((replica) => replica.library === library);
  for (const at of [place, place + 1]) {
    replicas[at]!.cut();
    replicas[at] = new RecordedReplica(core, library, `${library}${documents}${at}`, note);
  }
  await found(library, 5);
}

async function revoke(user: string): Promise<void> {
  note({ did: 'revoking', user });
  await core.revoke({ userId: user });
  note({ did: 'revoked', user });
}

async function upload(library: string, id: string): Promise<void> {
  const body = new Blob([bytesOf(id)]);
  note({ did: 'uploading', library, id });
  await core.files.upload(
    tokenOf(library, `${library}1`),
    { id, name: 'a.txt', type: 'text/plain', size: body.size },
    body.stream() as ReadableStream<Uint8Array>,
  );
  note({ did: 'uploaded', library, id });
}

/** The socket breaks, and the library may leave memory before its devices are back. */
async function leave(library: string): Promise<void> {
  const here = replicas.filter((replica) => replica.library === library);
  for (const replica of here) replica.cut();
  if (random.chance(0.5)) await core.get(library).getInfo();
  for (const replica of here) await connect(replica);
}

async function happen(step: number): Promise<void> {
  const library = random.pick(LIBRARIES);
  const dice = random.below(100);
  if (dice === 0) return evict('evicted');
  if (dice === 1) return revoke(`nobody-${step}`);
  if (dice === 2) return upload(library, `file-${step}`);
  if (dice <= 6) return leave(library);
  const replica = random.pick(replicas.filter((each) => each.library === library));
  await until(() => replica.unconfirmed < MAX_UNCONFIRMED);
  replica.push(oids(random.between(1, 4)));
  if (random.chance(0.4)) await turn();
}

for (const library of LIBRARIES) await found(library, library === 'large' ? 60 : 3);
for (let step = 0; step < messages; step++) await happen(step);
await until(() => replicas.every((replica) => replica.unconfirmed === 0));
await core.close();
