import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../simulation/random.js';
import { type Change, FileImage } from './file-image.js';
import type { Step } from './journal.js';

/** What a disk writes at once, or not at all. */
const SECTOR_BYTES = 512;

/** A change of names: all of it or nothing. `folder` is where it has to be synced. */
interface NameChange {
  folder: string;
  apply(names: Names): void;
}

/** What each path stands for: the number of a file, or a folder. */
type Names = Map<string, number | 'folder'>;

/**
 * A disk that promises no more than it must: what was synced stays; of everything else, of content and of names apart,
 * any part may be there when the power comes back, in whole or torn.
 */
export class Disk {
  readonly #files = new Map<number, { synced: FileImage; pending: Change[] }>();
  readonly #names: Names = new Map();
  #pendingNames: NameChange[] = [];

  /** The next step of the process, which nothing has been forgotten of yet. */
  take(step: Step): void {
    switch (step.kind) {
      case 'create':
        this.#files.set(step.file, { synced: new FileImage(), pending: [] });
        this.#name(step.path, (names) => names.set(step.path, step.file));
        return;
      case 'write':
      case 'truncate':
        this.#file(step.file).pending.push(step);
        return;
      case 'sync': {
        const file = this.#file(step.file);
        for (const change of file.pending.splice(0)) file.synced.apply(change);
        return;
      }
      case 'sync-folder': {
        const isHere = ({ folder }: NameChange) => folder === step.path;
        for (const change of this.#pendingNames.filter(isHere)) change.apply(this.#names);
        this.#pendingNames = this.#pendingNames.filter((change) => !isHere(change));
        return;
      }
      case 'rename':
        this.#rename(step.from, step.to);
        return;
      case 'remove':
        this.#name(step.path, (names) => names.delete(step.path));
        return;
      case 'make-folder':
        this.#name(step.path, (names) => names.set(step.path, 'folder'));
        return;
      case 'noted':
    }
  }

  /** What the process sees. */
  get now(): Map<string, Buffer> {
    return this.#state((changes) => changes, apply);
  }

  /** What may be found when the power is cut here. */
  cut(random: Random): Map<string, Buffer> {
    const survivors = (changes: readonly NameChange[]) => some(changes, random);
    return this.#state(survivors, (file, pending) => {
      for (const change of some(pending, random)) applyTorn(file, change, random);
    });
  }

  #state(
    names: (changes: readonly NameChange[]) => readonly NameChange[],
    fill: (file: FileImage, pending: readonly Change[]) => void,
  ): Map<string, Buffer> {
    const found: Names = new Map(this.#names);
    for (const change of names(this.#pendingNames)) change.apply(found);
    const state = new Map<string, Buffer>();
    for (const [path, file] of found) {
      if (file === 'folder' || !isReachable(path, found)) continue;
      const { synced, pending } = this.#file(file);
      const image = synced.copy();
      fill(image, pending);
      state.set(path, image.content);
    }
    return state;
  }

  #file(number: number) {
    const file = this.#files.get(number);
    if (!file) throw new Error(`The journal tells of a file ${number} that it did not see come`);
    return file;
  }

  #name(path: string, change: (names: Names) => unknown): void {
    this.#pendingNames.push({ folder: folderOf(path), apply: change });
  }

  #rename(from: string, to: string): void {
    const file = this.#meant(from);
    if (folderOf(from) === folderOf(to)) {
      // Never both names, never neither.
      this.#name(to, (names) => names.set(to, file) && names.delete(from));
    } else {
      this.#name(to, (names) => names.set(to, file));
      this.#name(from, (names) => names.delete(from));
    }
  }

  /** What a path stands for, as the process sees it. */
  #meant(path: string): number | 'folder' {
    const now: Names = new Map(this.#names);
    for (const change of this.#pendingNames) change.apply(now);
    const file = now.get(path);
    if (file === undefined) throw new Error(`The journal tells of ${path}, which it did not see come`);
    return file;
  }
}

/** Writes what a disk was found to hold into a folder. */
export function restore(state: ReadonlyMap<string, Buffer>, folder: string): void {
  for (const [path, content] of state) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const folderOf = (path: string): string => (dirname(path) === '.' ? '' : dirname(path));

/** Whether all folders above it are there too. */
function isReachable(path: string, names: Names): boolean {
  for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) {
    if (names.get(folder) !== 'folder') return false;
  }
  return true;
}

/** Disks that keep an order lose the end; others lose anything. */
function some<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const way = random.below(4);
  if (way === 0) return [];
  if (way === 1) return items.slice(0, random.between(0, items.length));
  const share = way === 2 ? random.next() : 0.9;
  return items.filter(() => random.chance(share));
}

function apply(file: FileImage, pending: readonly Change[]): void {
  for (const change of pending) file.apply(change);
}

/** Applies a change whole or, of what is written, some of its sectors. Others keep what they hold; where that is nothing, it may be anything. */
function applyTorn(file: FileImage, change: Change, random: Random): void {
  if (change.kind === 'truncate' || random.chance(0.5)) {
    file.apply(change);
    return;
  }
  const { at, bytes } = change;
  const end = at + bytes.length;
  for (let from = at; from < end; ) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    const isWritten = random.chance(0.5);
    if (isWritten) file.write(from, bytes.subarray(from - at, to - at));
    else if (from >= file.size && random.chance(0.5)) file.write(from, junk(to - from, random));
    from = to;
  }
}

const junk = (length: number, random: Random): Buffer =>
  Buffer.from(Array.from({ length }, () => random.below(256)));
