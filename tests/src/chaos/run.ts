import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../simulation/random.js';
import type { Device } from '../clients/browser.js';
import { generations } from '../clients/bundle.js';
import { openClient, type TestClient, type Transport } from '../clients/open-client.js';
import type { WireEntry } from '../clients/wire-log.js';
import { waitFor } from '../until.js';
import { authUrl } from '../world.js';
import { databaseOf, foundByQueries } from './client-database.js';
import { type Quirk, quirkOf, stopOf } from './client-quirks.js';
import { type Content, promisedBy, readWire } from './ledger.js';
import { MortalServer } from './mortal-server.js';
import { type Made, Person } from './person.js';
import { Quiet } from './quiet.js';
import { differences, documentsIn, lostObjects, readServer, shownBy } from './reckoning.js';

export interface ChaosOptions {
  seconds: number;
  seed: number;
  clients: number;
  /** Between two kills, at least and at most. */
  killEveryMs: readonly [number, number];
  evictions: number;
  note(what: string): void;
  /** Gets what went over each client's wire, and what it has stored, to look into a difference. */
  record?(client: {
    name: string;
    made: readonly Made[];
    wire: readonly WireEntry[];
    database: Content;
  }): void;
}

export interface Report {
  edits: number;
  /** Edits of what had just gone. */
  tooLate: number;
  acknowledged: number;
  disconnections: number;
  resets: number;
  kills: number;
  evictions: number;
  /** Objects in which the server is not what it had promised. */
  missing: string[];
  /** Documents in which a client differs as that client is known to, by the quirk. */
  quirks: Partial<Record<Quirk, number>>;
  /** Documents in which a client is not what the server is, for no known reason. */
  differing: string[];
  /** What the server logged as errors. */
  complaints: string[];
}

const LIBRARY = 'chaos';
const TRANSPORTS: readonly Transport[] = ['socket', 'http', 'auto'];
/** Like people's, who wait between two edits. */
const EDIT_EVERY_MS = [200, 1_500] as const;
const PULL_INTERVAL_MS = 2_000;
const DOWN_MS = [0, 1_500] as const;
const ONLINE_MS = [4_000, 30_000] as const;
const BLIP_MS = [50, 2_000] as const;
const AWAY_MS = [4_000, 15_000] as const;
const COMING_BACK_MS = 4_000;
/** How long users wait for a tab that shows nothing new before they load it again. */
const PATIENCE_MS = 25_000;
const CALM_DEADLINE_MS = 180_000;

/** Lets clients edit, lose their network and their server, and compares at the end what all of them hold. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const chaos = new Chaos(options, await MortalServer.start());
  try {
    return await chaos.run();
  } finally {
    await chaos.end();
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #server: MortalServer;
  readonly #people: Person[] = [];
  readonly #missing: string[] = [];
  /** Where the wire of each client was when the library was last evicted. */
  #marks: number[] = [];
  /** Nobody edits, goes or is killed. */
  #resting = false;
  #killing: Promise<void> = Promise.resolve();
  #ended = false;
  #disconnections = 0;
  #acknowledged = 0;
  #resets = 0;
  readonly #quirks: Partial<Record<Quirk, number>> = {};

  constructor(options: ChaosOptions, server: MortalServer) {
    this.#options = options;
    this.#server = server;
  }

  get #clients(): TestClient[] {
    return this.#people.map(({ client }) => client);
  }

  async run(): Promise<Report> {
    const { seconds, seed, evictions, note } = this.#options;
    await this.#open();
    const lives = [
      this.#killNowAndThen(new Random(seed, 'kills')),
      ...this.#people.flatMap((person) => [
        this.#edit(person, new Random(seed, `pauses of ${person.client.userId}`)),
        this.#comeAndGo(person, new Random(seed, `network of ${person.client.userId}`)),
      ]),
    ];
    const life = (seconds * 1_000) / (evictions + 1);
    for (let n = 0; n < evictions; n++) {
      await pause(life);
      await this.#evict();
    }
    await pause(life);
    this.#ended = true;
    await Promise.all(lives);
    this.#resting = true;
    note('everybody comes back');
    for (const client of this.#clients) await client.goOnline();
    await this.#calm();
    // What a client may have lost by a reset that was under way to an earlier socket comes with its next sync.
    for (const client of this.#clients) {
      await client.goOffline();
      await client.goOnline();
    }
    await this.#calm();
    const held = await this.#reckon();
    const differing = await this.#compare(held);
    return {
      edits: this.#people.reduce((sum, { made }) => sum + made.length, 0),
      tooLate: this.#people.reduce((sum, { gone }) => sum + gone, 0),
      acknowledged: this.#acknowledged,
      disconnections: this.#disconnections,
      resets: this.#resets,
      kills: this.#server.kills,
      evictions: this.#server.evictions,
      missing: this.#missing,
      quirks: this.#quirks,
      differing,
      complaints: this.#server.complaints,
    };
  }

  async end(): Promise<void> {
    this.#ended = true;
    for (const { client, made, entries } of this.#options.record ? this.#people : []) {
      const database = await databaseOf(client);
      this.#options.record?.({ name: client.name, made, wire: entries, database });
    }
    for (const client of this.#clients) await client.kill();
    await this.#server.stop();
  }

  /** The first founds the library, the others join it. */
  async #open(): Promise<void> {
    const { clients, seed } = this.#options;
    for (let index = 0; index < clients; index++) {
      const client = await this.#openClient(index);
      const person = new Person(client, new Random(seed, `edits of ${client.userId}`));
      this.#people.push(person);
      this.#marks.push(0);
      if (index === 0) await person.edit();
      await client.start();
    }
  }

  #openClient(index: number, device?: Device): Promise<TestClient> {
    const userId = `c${index}`;
    return openClient({
      userId,
      generation: generations[index % generations.length]!,
      transport: TRANSPORTS[Math.floor(index / generations.length) % TRANSPORTS.length]!,
      pullInterval: PULL_INTERVAL_MS,
      authEndpoint: authUrl(this.#server.base, LIBRARY, userId),
      online: false,
      ...(device && { device }),
    });
  }

  async #edit(person: Person, random: Random): Promise<void> {
    while (!this.#ended) {
      await pause(random.between(...EDIT_EVERY_MS));
      if (!this.#resting && !this.#ended) await person.edit();
    }
  }

  /** Loses the network, for a moment or for longer. */
  async #comeAndGo({ client }: Person, random: Random): Promise<void> {
    while (!this.#ended) {
      await this.#lasting(random.between(...ONLINE_MS));
      if (this.#ended) return;
      await client.goOffline();
      this.#disconnections++;
      const [low, high] = random.chance(0.5) ? BLIP_MS : AWAY_MS;
      await this.#lasting(random.between(low, high));
      if (!this.#ended) await client.goOnline();
    }
  }

  async #killNowAndThen(random: Random): Promise<void> {
    const [low, high] = this.#options.killEveryMs;
    while (!this.#ended) {
      await this.#lasting(random.between(low, high));
      if (this.#ended) return;
      this.#killing = this.#restart(random.between(...DOWN_MS));
      await this.#killing;
      this.#options.note(`killed and started again, the ${this.#server.kills}th time`);
    }
  }

  async #restart(downMs: number): Promise<void> {
    await this.#server.kill();
    await pause(downMs);
    await this.#server.start();
  }

  /** Some time in which things happen; ends early with the chaos. */
  async #lasting(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (!this.#ended && (Date.now() < end || this.#resting)) await pause(50);
  }

  /** Before all is gone by design, what was promised up to then has to be there. */
  async #evict(): Promise<void> {
    this.#resting = true;
    await this.#killing;
    await this.#quiet();
    await this.#reckon();
    await this.#server.evict(LIBRARY);
    this.#marks = this.#people.map(({ entries }) => entries.length);
    this.#options.note('evicted');
    this.#resting = false;
  }

  async #quiet(): Promise<void> {
    const quiet = new Quiet(this.#people);
    await waitFor(() => this.#server.isUp && quiet.isQuiet(), {
      deadline: CALM_DEADLINE_MS,
      describe: () => this.#describe(),
    });
  }

  async #calm(): Promise<void> {
    const quiet = new Quiet(this.#people);
    const waiting = new Map<Person, { since: number; looked: number }>();
    const answersOf = ({ entries }: Person) =>
      entries.filter(({ direction, message }) => direction === 'received' && message.type === 'sync-resp')
        .length;
    const before = new Map(this.#people.map((person) => [person, answersOf(person)]));
    const isCalm = async (person: Person, index: number) => {
      const { client } = person;
      const state = await client.state();
      const { mode, status, connected } = state;
      // One that polls no more takes itself for connected as long as what it writes is answered.
      const listens = mode === 'realtime' || answersOf(person) > before.get(person)!;
      if (listens && connected && status === 'active' && (await client.calm())) {
        waiting.delete(person);
        return true;
      }
      const now = Date.now();
      const { since, looked } = waiting.get(person) ?? { since: now, looked: now };
      const { generation, wire } = client;
      const evidence = { generation, entries: wire.entries };
      const quirk = now - since > PATIENCE_MS ? stopOf(evidence, state) : null;
      if (quirk) {
        this.#count(quirk);
        await person.reload((device) => this.#openClient(index, device));
        await person.client.beginSync();
        waiting.delete(person);
      } else {
        const looksAgain = now - looked > COMING_BACK_MS;
        // A poll that took over three seconds is the last until the user comes back to the tab.
        if (looksAgain && !(connected && listens)) client.browser.focus();
        waiting.set(person, { since, looked: looksAgain ? now : looked });
      }
      return false;
    };
    await waitFor(
      async () => {
        const all = await Promise.all(this.#people.map(isCalm));
        return quiet.isQuiet() && !all.includes(false);
      },
      { deadline: CALM_DEADLINE_MS, describe: () => this.#describe() },
    );
  }

  #count(quirk: Quirk): void {
    this.#quirks[quirk] = (this.#quirks[quirk] ?? 0) + 1;
  }

  /** Whether the server holds all that it has promised in this life of the library; resolves with what it holds. */
  async #reckon(): Promise<Content> {
    // Who connects again in this very moment may bring something that is told to others and not yet in what is read.
    const quiet = new Quiet(this.#people);
    let held: Content;
    // The first request may go out on a connection that died with the server.
    do held = await waitFor(() => readServer(this.#server.base, LIBRARY));
    while (quiet.hasBroken());
    const accounts = this.#people.map(({ entries }, index) => readWire(entries, this.#marks[index]!));
    const promised = promisedBy(accounts);
    this.#acknowledged += promised.acknowledged;
    this.#resets += accounts.reduce((sum, { resets }) => sum + resets, 0);
    this.#missing.push(...lostObjects(promised, held));
    return held;
  }

  /** Whether everybody shows, and has in their database, what the server holds; tells what differs for no known reason. */
  async #compare(held: Content): Promise<string[]> {
    const expected = documentsIn(held);
    const differing: string[] = [];
    for (const [index, { client, made, entries }] of this.#people.entries()) {
      const { generation, name } = client;
      const database = await databaseOf(client);
      const findable = await foundByQueries(client);
      const [shown, stored] = [await shownBy(client), documentsIn(database)];
      const { has } = readWire(entries, this.#marks[index]!);
      const told = documentsIn({ ...has, operations: [...has.operations.values()] });
      for (const root of new Set([...differences(shown, expected), ...differences(stored, expected)])) {
        const [is, has, should, heard] = [shown, stored, expected, told].map((all) => all.get(root));
        const difference = { root, shown: is, stored: has, expected: should, told: heard };
        const quirk = quirkOf(difference, { generation, entries, made, database, findable });
        if (quirk) this.#count(quirk);
        else differing.push(`${name} ${JSON.stringify(difference)}\n${storyOf(root, entries)}`);
      }
    }
    return differing;
  }

  async #describe(): Promise<string> {
    const states = this.#clients.map(async (client) => {
      const [state, calm] = await Promise.all([client.state(), client.calm()]);
      return `${client.name} ${JSON.stringify(state)}, calm: ${calm}, refused: ${client.wire.refusals.slice(-5)}\n${client.wire.summary(8)}`;
    });
    return (await Promise.all(states)).join('\n');
  }
}

/** Where in its wire a client heard or told of a document, synced, or was reset: for whoever has to explain a difference. */
function storyOf(root: string, entries: readonly WireEntry[]): string {
  const lines = entries.flatMap(({ direction, message }, index) => {
    const isOfIt = JSON.stringify(message).includes(`"${root}`);
    if (!isOfIt && message.type !== 'sync' && !message.overwriteLocalData) return [];
    const { type, since, ackedTimestamp, overwriteLocalData } = message;
    return `  ${index} ${direction} ${JSON.stringify({ type, since, ackedTimestamp, overwriteLocalData, isOfIt })}`;
  });
  return lines.slice(-40).join('\n');
}
