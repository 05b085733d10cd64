import type { EventHub } from './event-hub.js';
import type { FileStorage } from './files/file-storage.js';
import type { Rounds } from './library/rounds.js';
import type { Log } from './log.js';
import type { LongWork } from './long-work.js';
import type { ProfileCache } from './presence/profile-cache.js';
import type { Scheduler } from './scheduler.js';
import type { Settings } from './settings.js';

/** What every library works with. */
export interface Services {
  readonly settings: Settings;
  readonly scheduler: Scheduler;
  /** For the batches. */
  readonly rounds: Rounds;
  /** For what goes on behind the batches. */
  readonly workBehind: LongWork;
  /** For the pieces in which a library is founded: somebody waits for them. */
  readonly workToFound: LongWork;
  /** For the pages of long replies. */
  readonly workToTell: LongWork;
  readonly log: Log;
  readonly events: EventHub;
  readonly profiles: ProfileCache;
  readonly fileStorage: FileStorage | null;
  /** The largest text of one operation or snapshot that the storage can keep, in bytes of UTF-8. */
  readonly maxValueBytes: number;
}
