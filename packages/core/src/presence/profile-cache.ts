import type { Log } from '../log.js';
import type { Scheduler } from '../scheduler.js';
import type { UserProfiles } from './profiles.js';

/** How long a message waits for its sender's profile. A source that is slower must not hold up sync. */
const PATIENCE_MS = 1_000;
const MAX_PROFILES = 50_000;

/** Profiles as the app's source has them, kept for a while. A source that fails is asked again; its failure is not kept. */
export class ProfileCache {
  readonly #source: UserProfiles;
  readonly #lifetimeMs: number;
  readonly #scheduler: Scheduler;
  readonly #log: Log;
  readonly #known = new Map<string, { profile: unknown; until: number }>();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(options: { source: UserProfiles; lifetimeMs: number; scheduler: Scheduler; log: Log }) {
    this.#source = options.source;
    this.#lifetimeMs = options.lifetimeMs;
    this.#scheduler = options.scheduler;
    this.#log = options.log;
  }

  /** The profile as it is known; `{ id }` for a user whose profile is not. */
  get(userId: string): unknown {
    return this.#known.get(userId)?.profile ?? { id: userId };
  }

  /** Whether the profile is at hand and not too old. */
  isFresh(userId: string): boolean {
    const known = this.#known.get(userId);
    return known !== undefined && known.until > this.#scheduler.now();
  }

  /** Look the profile up where it is not fresh. Resolves when it is there, could not be had, or takes too long. */
  async prepare(userId: string): Promise<void> {
    if (this.isFresh(userId)) return;
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#scheduler.after(PATIENCE_MS, resolve);
    });
    await Promise.race([this.#load(userId), patience]);
    cancel();
  }

  /** What was known before the process began: it is shown until it is looked up again. */
  recall(userId: string, profile: unknown): void {
    if (!this.#known.has(userId)) this.#known.set(userId, { profile, until: 0 });
  }

  /** Look the profile up again when it is next needed. */
  invalidate(userId: string): void {
    this.#known.delete(userId);
    this.#loading.delete(userId);
  }

  #load(userId: string): Promise<void> {
    const loading = this.#loading.get(userId);
    if (loading) return loading;
    const started: Promise<void> = this.#ask(userId).then((found) => {
      // Invalidated meanwhile: what was asked for is no longer what is wanted.
      if (this.#loading.get(userId) !== started) return;
      this.#loading.delete(userId);
      if (found) this.#keep(userId, found.profile);
    });
    this.#loading.set(userId, started);
    return started;
  }

  async #ask(userId: string): Promise<{ profile: unknown } | null> {
    try {
      return { profile: (await this.#source.get(userId)) ?? { id: userId } };
    } catch (error) {
      this.#log.error?.(
        { userId, err: error },
        'The profile of a user could not be had; others see the id alone.',
      );
      return null;
    }
  }

  #keep(userId: string, profile: unknown): void {
    this.#known.delete(userId);
    this.#known.set(userId, { profile, until: this.#scheduler.now() + this.#lifetimeMs });
    if (this.#known.size <= MAX_PROFILES) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
