import { setTimeout as pause } from 'node:timers/promises';
import { ReplicaType } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { freePort, removeFolder, startCli, temporaryFolder } from './server.js';
import { type RawOperation, RawReplica, replay, type SyncResponse } from './wire.js';

const ROUNDS = Number(process.env.DURABILITY_ROUNDS ?? 50);
const SEED = Number(process.env.DURABILITY_SEED ?? Date.now() % 1_000_000);
/** A library gets its turn every fifth round, so that what is killed has history, folded and not. */
const LIBRARIES = 5;
const WRITERS = 5;
const FOLDING_EVERY = 6;
/** Unconfirmed operations of a writer: enough that a kill always meets some on each of their ways. */
const IN_FLIGHT = 8;

/** One library with its five writers: four on sockets, one that polls. */
function createLibrary(name: string) {
  const writers = Array.from(
    { length: WRITERS },
    (_, n) => new RawReplica(name, `user${n}`, n === WRITERS - 1 ? 'http' : 'socket'),
  );
  return { name, writers, counter: 0, founded: false, folded: 0 };
}
type Library = ReturnType<typeof createLibrary>;

test(`[DUR-2] what was acknowledged or shown survives kill -9, ${ROUNDS} times (seed ${SEED})`, async () => {
  const random = createRandom(SEED);
  const cwd = await temporaryFolder();
  const port = await freePort();
  const libraries = Array.from({ length: LIBRARIES }, (_, n) => createLibrary(`library-${n}`));
  let confirmed = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const library = libraries[round % LIBRARIES]!;
      const cli = await startCli({ cwd, port });
      try {
        const where = `round ${round} of seed ${SEED}, ${library.name}`;
        if (library.founded) expectPromised(library, await readAnew(library, cli.base), where);
        await connectAll(library, cli.base);
        const reply = await readAnew(library, cli.base);
        expectAll(library, reply, where);
        library.folded = Math.max(library.folded, reply.baselines.length);
        const writing = startWriting(library, cli.base);
        // History is folded within two seconds of becoming old: some kills have to find that under way.
        await pause(round % FOLDING_EVERY === 0 ? 1_900 + random() * 600 : 40 + random() * 260);
        await cli.kill();
        await writing.stop();
      } finally {
        await cli.kill();
        for (const writer of library.writers) writer.disconnect();
      }
    }
    for (const { writers } of libraries) for (const writer of writers) confirmed += writer.acknowledged.size;
    // Otherwise there was nothing to lose, or only one way to lose it.
    expect(confirmed).toBeGreaterThan(ROUNDS * WRITERS * 10);
    if (ROUNDS >= 50) expect(libraries.some(({ folded }) => folded > 0)).toBe(true);
  } finally {
    await removeFolder(cwd);
  }
}, 300_000);

async function connectAll(library: Library, base: string): Promise<void> {
  const [founder, ...others] = library.writers;
  if (!library.founded) {
    founder!.operation('items/list', {
      op: 'initialize',
      value: { id: 'list', content: ref('items/list:all') },
    });
    founder!.operation('items/list:all', { op: 'initialize', value: [] });
  }
  await founder!.connect(base);
  await Promise.all(
    others.map((writer) => (writer.transport === 'http' ? writer.poll(base) : writer.connect(base))),
  );
  library.founded = true;
  const reset = library.writers.filter(({ resets }) => resets > 0).map(({ id }) => id);
  expect(reset, 'replicas that a restart reset').toEqual([]);
}

/** Everyone writes as fast as the server confirms, until its end. */
function startWriting(library: Library, base: string) {
  let stopped = false;
  const write = (writer: RawReplica) => writer.operation(...next(library));
  const loops = library.writers.map(async (writer) => {
    while (!stopped) {
      if (writer.transport === 'http') {
        write(writer);
        write(writer);
        await writer.poll(base).catch(() => {}); // that is how the end shows
      } else {
        while (writer.connected && writer.unconfirmed < IN_FLIGHT) writer.push([write(writer)]);
      }
      await pause(1);
    }
  });
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

/** In turn a document of its own, which shows loss, and an entry of a common list, which shows doubling too. */
function next(library: Library): [string, RawOperation['data']] {
  const n = ++library.counter;
  return n % 2
    ? [`items/${n}`, { op: 'initialize', value: { id: String(n), content: 'x'.repeat(100) } }]
    : ['items/list:all', { op: 'list-push', value: n }];
}

/**
 * By a replica that counts for nothing, and not over HTTP, where it would count for as long as its presence is taken
 * for granted: the many of them would hold back the folding of history.
 */
async function readAnew(library: Library, base: string): Promise<SyncResponse> {
  const reader = new RawReplica(library.name, 'reader', 'socket', ReplicaType.ReadOnlyRealtime);
  try {
    return await reader.connect(base);
  } finally {
    reader.disconnect();
  }
}

/** Before any writer is back: all depends on what the server kept. */
function expectPromised(library: Library, reply: SyncResponse, where: string): void {
  const has = presence(reply);
  for (const writer of library.writers) {
    const acknowledged = writer.written.filter(({ timestamp }) => writer.acknowledged.has(timestamp));
    expect(
      acknowledged.filter((operation) => !has(operation)),
      `${where}: acknowledged, then lost`,
    ).toEqual([]);
    const shown = [...writer.shown.values()];
    expect(
      shown.filter((operation) => !has(operation)),
      `${where}: shown to a peer, then lost`,
    ).toEqual([]);
  }
}

/** After they are: what they had in flight too, and everything once. */
function expectAll(library: Library, reply: SyncResponse, where: string): void {
  const has = presence(reply);
  const written = library.writers.flatMap((writer) => writer.written);
  expect(
    written.filter((operation) => !has(operation)),
    `${where}: written, never stored`,
  ).toEqual([]);
  const list = replay(reply).get('items/list:all') as number[];
  const doubled = list.filter((value, index) => list.indexOf(value) !== index);
  expect(doubled, `${where}: applied twice`).toEqual([]);
}

function presence(reply: SyncResponse): (operation: RawOperation) => boolean {
  const objects = replay(reply);
  const list = new Set(objects.get('items/list:all') as unknown[]);
  return ({ oid, data }) => (data.op === 'list-push' ? list.has(data.value) : objects.has(oid));
}

const ref = (id: string) => ({ '@@type': 'ref', id });

/** Mulberry32: the moments of the kills can be repeated, at least from this side. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
