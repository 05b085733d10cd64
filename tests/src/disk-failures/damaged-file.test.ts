import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { Peer } from '../wire-rules/peer.js';
import { inWorld } from '../world.js';
import { expectRestored } from './restored.js';
import { storages } from './storages.js';

const PAGE = 4096;

/** Ways in which a database file is damaged while no server runs. */
const damages: Record<string, (path: string) => void> = {
  'a page of it holds something else': (path) => {
    const db = new Database(path, { readonly: true });
    const page = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'operation'`).pluck().get();
    db.close();
    const content = readFileSync(path);
    content.fill(0xa5, (Number(page) - 1) * PAGE, Number(page) * PAGE);
    writeFileSync(path, content);
  },
  'its end is gone': (path) => truncateSync(path, 3 * PAGE),
  'its beginning is gone': (path) => {
    const content = readFileSync(path);
    content.fill(0xa5, 0, PAGE);
    writeFileSync(path, content);
  },
  'it is empty, and its log is there': (path) => {
    writeFileSync(`${path}-wal`, readFileSync(path));
    truncateSync(path, 0);
  },
};

/** 5.5.0 does not poll here: what its eviction over HTTP shows is the matrix's subject. */
const cases = Object.keys(damages).map((damage, index) => ({
  damage,
  generation: (['3.6.3', '5.5.0'] as const)[index % 2]!,
  transport: index === 2 ? ('http' as const) : ('socket' as const),
  /** Its records of files can be read. */
  tellsOfFiles: index === 0,
}));

test.each(cases)(
  '[EVICT-10] a damaged file, $damage: evicted, it is set aside, and devices bring everything back ($generation)',
  async ({ damage, generation, transport, tellsOfFiles }) => {
    let beforeStart = (_directory: string) => {};
    const { fileOf } = storages.sharded;
    const storage = (directory: string) => {
      beforeStart(directory);
      return storages.sharded.open(directory);
    };
    await inWorld({ generation, transport, storage }, async (world) => {
      const { app, library } = world;
      const databases = join(app.directory, 'databases');
      const file = fileOf(databases, library);
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      const eve = await world.open('eve', { library: 'sound' });
      for (let n = 0; n < 5; n++) await ana.put(`${n}`, { content: 'x'.repeat(400) });
      await bob.put('5', { tags: ['of', 'bob'] });
      await world.converged([ana, bob], (items) => items.length === 6);

      let damaged = Buffer.alloc(0);
      beforeStart = () => {
        damages[damage]!(file);
        damaged = readFileSync(file);
      };
      await app.restart();
      beforeStart = () => {};

      // Nobody is told more than that it does not work.
      const peer = new Peer(app, library, 'cem');
      const { status, body } = await peer.post([peer.syncMessage()]);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(JSON.stringify(body)).not.toContain(databases);
      const other = await new Peer(app, library, 'dan').connect();
      other.sendSync();
      const { code, reason } = await other.ended();
      expect(code).toBe(1011);
      expect(reason).not.toBe('');
      expect(reason).not.toContain(databases);
      expect(app.errors.join('\n')).toContain(file);
      // Other libraries go on.
      await eve.put('1');
      const fay = await world.open('fay', { library: 'sound' });
      await waitFor(async () => (await fay.list()).length === 1);

      // Files of which nobody can tell now are not taken for orphans.
      if (!tellsOfFiles) await expect(app.core.files.deleteOrphans()).rejects.toThrow(file);

      await app.core.evict(library);
      const aside = readdirSync(databases).find((name) => name.startsWith(`${basename(file)}.damaged-`));
      expect(aside, 'the damaged file').toBeDefined();
      const kept = readFileSync(join(databases, aside!));
      // What could be opened was written to before it was known to be damaged.
      expect(tellsOfFiles ? kept.includes(Buffer.alloc(PAGE, 0xa5)) : kept.equals(damaged)).toBe(true);
      await expectRestored(world, [ana, bob], 6);
      app.errors.splice(0);
    });
  },
);

test('[EVICT-10] eviction of a sound library sets nothing aside', async () => {
  await inWorld({}, async (world) => {
    const { app, library } = world;
    const ana = await world.open('ana');
    await ana.put('1');
    await world.converged([ana], (items) => items.length === 1);
    await app.core.evict(library);
    await world.converged([ana], (items) => items.length === 1);
    expect(readdirSync(join(app.directory, 'databases')).join()).not.toContain('damaged');
  });
});

test('[DUR-11] one file for all that is damaged: the server does not start, and says which; without it, devices bring everything back', async () => {
  let beforeStart = (_file: string) => {};
  const { open, fileOf } = storages.unified;
  const storage = (directory: string) => {
    beforeStart(fileOf(directory, ''));
    return open(directory);
  };
  await inWorld({ storage }, async (world) => {
    const { app } = world;
    const [ana, bob] = [await world.open('ana'), await world.open('bob')];
    const eve = await world.open('eve', { library: 'elsewhere' });
    await ana.put('1', { content: 'milk' });
    await eve.put('2', { content: 'tea' });
    await world.converged([ana, bob], (items) => items.length === 1);
    await waitFor(async () => (await app.core.get('elsewhere').getInfo())?.operationsCount);

    const started: unknown[] = [];
    beforeStart = (file) => {
      damages['its beginning is gone']!(file);
      try {
        open(join(app.directory, 'databases'));
      } catch (error) {
        started.push(error);
      }
      // What the operator does.
      for (const side of ['', '-wal', '-shm']) rmSync(file + side, { force: true });
      expect(existsSync(file)).toBe(false);
    };
    await app.restart();
    expect(String(started[0])).toContain(`verdant.sqlite is not a SQLite database`);
    await expectRestored(world, [ana, bob], 1);
    const fay = await world.open('fay', { library: 'elsewhere' });
    await waitFor(async () => (await fay.list()).some(({ content }) => content === 'tea'));
  });
});

test('[DUR-11] one file for all of which a later part is damaged: the libraries in it fail, others go on; without it, devices bring everything back', async () => {
  let beforeStart = (_file: string) => {};
  const { open, fileOf } = storages.unified;
  const storage = (directory: string) => {
    beforeStart(fileOf(directory, ''));
    return open(directory);
  };
  await inWorld({ storage }, async (world) => {
    const { app, library } = world;
    const [ana, bob] = [await world.open('ana'), await world.open('bob')];
    const eve = await world.open('eve', { library: 'elsewhere' });
    const [content, others] = ['milk'.repeat(100), 'tea'.repeat(100)];
    for (let n = 0; n < 40; n++) await ana.put(`${n}`, { content });
    for (let n = 0; n < 40; n++) await eve.put(`${n}`, { content: others });
    await world.converged([ana, bob], (items) => items.length === 40);
    await waitFor(() => app.core.get('elsewhere').getDocumentSnapshot('items', '39'));

    // Rows of both may be in one page. And whoever looks for what is next to a library's first or last rows reads their page.
    const notMeant = [others, 'items/0', 'items/9', 'items/39'];
    let file = '';
    beforeStart = (path) => {
      file = path;
      damagePage(path, (page) => page.includes(content) && !notMeant.some((text) => page.includes(text)));
    };
    await app.restart();
    beforeStart = () => {};

    const peer = new Peer(app, library, 'cem');
    const { status, body } = await peer.post([peer.syncMessage()]);
    expect(status).toBeGreaterThanOrEqual(500);
    expect(JSON.stringify(body)).not.toContain(file);
    expect(app.errors.join('\n')).toContain(`${file} is damaged`);
    // Another library goes on, for a new device, too.
    await eve.put('40', { content: 'more' });
    const fay = await world.open('fay', { library: 'elsewhere' });
    await waitFor(async () => (await fay.list()).length === 41);

    // What the operator does.
    beforeStart = (path) => {
      for (const side of ['', '-wal', '-shm']) rmSync(path + side, { force: true });
    };
    await app.restart();
    await expectRestored(world, [ana, bob], 40);
    app.errors.splice(0);
  });
});

/** The first byte of a page that leads to no others; the others hold rows, too, and are read on the way to everybody's. */
const LEAF = 0x0a;

/** Overwrites one page of a database whose content is so. */
function damagePage(path: string, isMeant: (page: Buffer) => boolean): void {
  // What is in the log would hide it, and what is in free pages is not missed.
  new Database(path).exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)').close();
  const content = readFileSync(path);
  const pages = Array.from({ length: content.length / PAGE }, (_, at) =>
    content.subarray(at * PAGE, (at + 1) * PAGE),
  );
  const page = pages.find((each) => each[0] === LEAF && isMeant(each));
  if (!page) throw new Error('There is no such page.');
  page.fill(0xa5);
  writeFileSync(path, content);
}
