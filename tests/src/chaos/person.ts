import type { Random } from '../../simulation/random.js';
import type { Device } from '../clients/browser.js';
import type { Edit } from '../clients/driver.js';
import type { TestClient } from '../clients/open-client.js';
import type { WireEntry } from '../clients/wire-log.js';

export type Kind = 'writes' | 'removes' | 'deletes';

/** One edit. Its mark is in no other: a value that shows wherever the edit went. */
export interface Made {
  /** The document's root. */
  root: string;
  mark: string;
  kind: Kind;
}

interface Choice {
  weight: number;
  /** Null: there is nothing to do that to. */
  make(mark: string): Promise<Made> | null;
}

/** Someone who edits what their client shows, at random. */
export class Person {
  readonly made: Made[] = [];
  /** Edits that were too late: of what another had just deleted. */
  gone = 0;
  readonly #random: Random;
  #count = 0;

  #client: TestClient;
  /** What went over the wire in tabs that were closed. */
  #past: WireEntry[] = [];

  constructor(client: TestClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  get client(): TestClient {
    return this.#client;
  }

  /** Everything that went over the wire. */
  get entries(): WireEntry[] {
    return [...this.#past, ...this.#client.wire.entries];
  }

  /** The tab is closed, and another one opened on the same device. */
  async reload(open: (device: Device) => Promise<TestClient>): Promise<void> {
    const { client } = this;
    this.#past.push(...client.wire.entries);
    await client.kill();
    this.#client = await open(client.device);
  }

  async edit(): Promise<void> {
    const mark = `${this.client.userId}-${++this.#count}-`;
    const choices = await this.#choices();
    let at = this.#random.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    const choice = choices.find(({ weight }) => {
      at -= weight;
      return at < 0;
    });
    try {
      const made = await choice?.make(mark);
      if (made) this.made.push(made);
    } catch {
      // What it was about has gone meanwhile, by another's hand or with a reset; the client throws as any app's would.
      this.gone++;
    }
  }

  async #choices(): Promise<Choice[]> {
    const random = this.#random;
    const { client } = this;
    const [items, boards] = await Promise.all([client.list(), client.boards()]);
    const item = items.length > 0 ? random.pick(items) : undefined;
    const board = boards.length > 0 ? random.pick(boards) : undefined;

    const onItem = (weight: number, edit: (mark: string) => Edit | null, kind?: Kind): Choice => ({
      weight: item ? weight : 0,
      make: (mark) => {
        const made = edit(mark);
        return made && client.edit(item!.id, made).then(() => done(`items/${item!.id}`, mark, kind));
      },
    });
    const onBoard = (weight: number, edit: (mark: string) => Edit | null, kind?: Kind): Choice => ({
      weight: board ? weight : 0,
      make: (mark) => {
        const made = edit(mark);
        return made && client.editBoard(board!.id, made).then(() => done(`boards/${board!.id}`, mark, kind));
      },
    });
    const tagAt = random.below((item?.tags.length ?? 0) + 1);
    const cardAt = random.below(board?.cards.length ?? 0);
    const label = Object.keys(item?.labels ?? {})[0];

    return [
      {
        weight: items.length < 8 ? 30 : 6,
        make: (mark) =>
          client.put(mark, { content: mark, tags: [mark] }).then(() => done(`items/${mark}`, mark)),
      },
      {
        weight: items.length > 20 ? 7 : items.length > 8 ? 3 : 0,
        make: (mark) =>
          item ? client.delete(item.id).then(() => done(`items/${item.id}`, mark, 'deletes')) : null,
      },
      onItem(20, (mark) => ({ call: 'set', args: ['content', mark] })),
      onItem(20, (mark) => ({ path: ['tags'], call: 'push', args: [mark] })),
      onItem(6, (mark) => ({ path: ['tags'], call: 'insert', args: [tagAt, mark] })),
      onItem(
        6,
        () => {
          const tag = item!.tags[tagAt];
          return tag === undefined ? null : { path: ['tags'], call: 'removeAll', args: [tag] };
        },
        'removes',
      ),
      onItem(
        5,
        () => (tagAt < item!.tags.length ? { path: ['tags'], call: 'delete', args: [tagAt] } : null),
        'removes',
      ),
      onItem(8, (mark) => ({ path: ['labels'], call: 'set', args: [`k${random.below(5)}`, mark] })),
      onItem(3, () => (label ? { path: ['labels'], call: 'delete', args: [label] } : null), 'removes'),
      onItem(8, (mark) => ({ path: ['meta'], call: 'set', args: ['color', mark] })),
      {
        weight: boards.length < 3 ? 8 : 1,
        make: (mark) =>
          client.putBoard(mark, { title: mark, cards: [] }).then(() => done(`boards/${mark}`, mark)),
      },
      {
        weight: boards.length > 4 ? 2 : 0,
        make: (mark) =>
          board ? client.deleteBoard(board.id).then(() => done(`boards/${board.id}`, mark, 'deletes')) : null,
      },
      onBoard(6, (mark) => ({ call: 'set', args: ['title', mark] })),
      onBoard(10, (mark) => ({ path: ['cards'], call: 'push', args: [{ title: mark }] })),
      onBoard(6, (mark) =>
        board!.cards.length > 0 ? { path: ['cards', cardAt], call: 'set', args: ['title', mark] } : null,
      ),
      onBoard(
        3,
        () => (board!.cards.length > 0 ? { path: ['cards'], call: 'delete', args: [cardAt] } : null),
        'removes',
      ),
      onBoard(5, (mark) => ({ path: ['notes'], call: 'set', args: [`n${random.below(5)}`, mark] })),
    ];
  }
}

const done = (root: string, mark: string, kind: Kind = 'writes'): Made => ({ root, mark, kind });
