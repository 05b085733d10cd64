import type { createVerdant, LogFunction, RestingPresence, Verdant, VerdantOptions } from '@verdant-web/core';
import type { Disk } from './disk.js';
import type { FaultCount } from './fault-count.js';
import type { FaultyNetwork } from './faulty-network.js';
import { type CommitFault, faultyStorage, type StorageObserver } from './faulty-storage.js';
import type { Random } from './random.js';
import type { Scope, VirtualTime } from './virtual-time.js';

/** One life of the server process. */
export interface ServerProcess {
  readonly core: Verdant;
  readonly scope: Scope;
}

export interface ServerHostOptions {
  time: VirtualTime;
  random: Random;
  faults: FaultCount;
  disk: Disk;
  engine: typeof createVerdant;
  observer: StorageObserver;
  settings: Omit<VerdantOptions, 'storage' | 'tokenSecret' | 'scheduler' | 'log'>;
  note(what: string): void;
  /** Something that no injected fault explains. */
  broke(what: string): void;
  /** The process is gone, with every connection to it. */
  gone(): void;
}

/** A machine with a disk that outlives the server processes on it. */
export class ServerHost {
  /** Whether storage may fail and processes may die. */
  faulty = true;
  running: ServerProcess | null = null;
  readonly #options: ServerHostOptions;
  #starting = false;
  #nextCommit: CommitFault = 'none';
  #effectsUntilCrash: number | null = null;
  #readsUntilFailure: number | null = null;
  #slow: boolean;
  /** Whether replies are read row by row, so slowly that much happens meanwhile. */
  #slowReplies: boolean;

  constructor(options: ServerHostOptions) {
    this.#options = options;
    this.#slow = options.random.chance(0.3);
    this.#slowReplies = options.random.chance(0.25);
  }

  /** `prepare` is awaited before anybody can reach the process. */
  async start(prepare?: (process: ServerProcess) => Promise<void>): Promise<void> {
    const { time, observer, settings, disk, engine } = this.#options;
    if (this.running || this.#starting) return;
    this.#starting = true;
    const opened = await disk.open();
    const scope = time.scope();
    const storage = faultyStorage(
      opened,
      scope,
      {
        pause: () => this.#pause(),
        commit: () => this.#takeCommitFault(),
        read: () => this.#takeReadFault(),
        page: () => this.#page(),
        crash: (why) => this.crash(why),
      },
      observer,
    );
    const core = engine({
      ...settings,
      storage,
      tokenSecret: 'the secret of a simulation, never signed with',
      scheduler: scope,
      log: this.#log,
    });
    const process = { core, scope };
    await prepare?.(process);
    this.#starting = false;
    this.running = process;
    this.#options.note('starts');
  }

  /** Where nothing goes on, the process is taken from memory, and its sockets stay for the next one, which begins at once. */
  async hibernate(libraryId: string, network: FaultyNetwork): Promise<void> {
    const process = this.running;
    if (!process || network.isAsked) return;
    const saved = await process.core.hibernation.save(libraryId).catch(() => null);
    if (saved === null || this.running !== process || network.isAsked) return;
    this.#options.faults.add('hibernation');
    this.#options.note('sleeps');
    const asleep = network.fallAsleep(saved.sockets);
    const presence = JSON.parse(JSON.stringify(saved.presence)) as RestingPresence;
    process.scope.end();
    this.running = null;
    await this.start(async (next) => {
      for (const [link] of asleep) link.wakeFor(next);
      const sockets = asleep.map(([transport, resting]) => ({ transport, resting }));
      try {
        const sessions = await next.core.hibernation.restore(libraryId, presence, sockets);
        for (const [index, [link]] of asleep.entries()) link.wake(sessions[index]!);
      } catch (error) {
        this.#options.note(`cannot take up its sockets: ${String(error)}`);
        for (const [link] of asleep) link.serverDied();
      }
    });
  }

  /** The process is killed, and started again a little later. */
  crash(why: string): void {
    if (!this.running) return;
    this.#options.faults.add(`crash ${why}`);
    this.#options.note(`CRASH ${why}`);
    this.#end();
    this.#options.time.schedule(this.#options.random.between(0, 3_000), () => void this.start());
  }

  /** The process is asked to stop, does so in its own time, and is started again. */
  async restart(): Promise<void> {
    const process = this.running;
    if (!process) return;
    this.#options.faults.add('restart');
    this.#options.note('shuts down');
    const cancel = this.#options.time.schedule(120_000, () => {
      if (this.running === process) this.#options.broke('close() takes longer than two minutes');
    });
    try {
      await process.core.close();
    } catch (error) {
      this.#options.note(`close() failed: ${String(error)}`);
    }
    cancel();
    if (this.running !== process) return;
    this.#options.note('has shut down');
    this.#end();
    this.#options.time.schedule(this.#options.random.between(0, 1_000), () => void this.start());
  }

  /** Ends the process without a word, and starts no other. */
  stop(): void {
    this.running?.scope.end();
    this.running = null;
  }

  /** What an administrator does counts among the faults. */
  count(kind: string): void {
    this.#options.faults.add(kind);
  }

  failNextCommit(fault: CommitFault): void {
    this.#nextCommit = fault;
  }

  crashAfterEffects(count: number): void {
    this.#effectsUntilCrash = count;
  }

  failReadAfter(count: number): void {
    this.#readsUntilFailure = count;
  }

  /** From now on nothing fails. */
  heal(): void {
    this.faulty = false;
    this.#slow = false;
    this.#slowReplies = false;
    this.#nextCommit = 'none';
    this.#effectsUntilCrash = null;
    this.#readsUntilFailure = null;
  }

  /** An effect is about to leave this process. False: the process is dead, or just died of it. */
  mayLeave(process: ServerProcess): boolean {
    if (!process.scope.isOpen) return false;
    if (this.#effectsUntilCrash === null) return true;
    if (this.#effectsUntilCrash-- > 0) return true;
    this.#effectsUntilCrash = null;
    this.crash('between two effects');
    return false;
  }

  #end(): void {
    this.running?.scope.end();
    this.running = null;
    this.#effectsUntilCrash = null;
    this.#options.gone();
  }

  #pause(): number | null {
    const { random } = this.#options;
    if (random.chance(0.4)) return null;
    return this.#slow && random.chance(0.1) ? random.between(20, 400) : random.between(0, 3);
  }

  #page(): { rows: number; takes: number } {
    const { random } = this.#options;
    return this.#slowReplies
      ? { rows: random.between(1, 8), takes: random.between(1, 120) }
      : { rows: random.between(1, 40), takes: random.below(3) };
  }

  #takeCommitFault(): CommitFault {
    const fault = this.#nextCommit;
    this.#nextCommit = 'none';
    if (fault !== 'none') {
      if (fault.startsWith('fails')) this.#options.faults.add(`commit ${fault} its effect`);
      if (fault === 'conflicts') this.#options.faults.add('commit meets another writer');
      this.#options.note(`commit: ${fault}`);
    }
    return fault;
  }

  #takeReadFault(): boolean {
    if (this.#readsUntilFailure === null || this.#readsUntilFailure-- > 0) return false;
    this.#readsUntilFailure = null;
    this.#options.faults.add('storage read fails');
    this.#options.note('a read fails');
    return true;
  }

  readonly #log: LogFunction = (level, ...args) => {
    if (level === 'debug') return;
    const text = args.map(textOf).join(' ');
    this.#options.note(`${level}: ${text}`);
    if (level === 'error' && !text.includes('simulated')) this.#options.broke(text);
  };
}

const textOf = (value: unknown): string => {
  if (value instanceof Error)
    return `${value.stack ?? value.message}${value.cause ? ` ← ${textOf(value.cause)}` : ''}`;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, field]) => `${name}=${textOf(field)}`)
      .join(' ');
  }
  return String(value);
};
