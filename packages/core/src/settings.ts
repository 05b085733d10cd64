import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { defaultLimits, type Limits } from './limits.js';
import type { VerdantOptions } from './verdant.js';

/** The options of {@link createVerdant} that are numbers and switches, complete. Times in ms. */
export interface Settings {
  truancyMs: number;
  fileExpiryMs: number;
  fileQuota: number | null | ((libraryId: string) => number | Promise<number>);
  disableRebasing: boolean;
  maxClockDrift: number;
  closeSocketsOnTokenExpiry: boolean;
  limits: Limits;
  profileCacheMs: number;
  presenceLeaseMs: number;
  libraryIdleMs: number;
}

/** Complete the options, or throw a `VerdantError` (5010) that names the one that is wrong. */
export function settingsFrom(options: VerdantOptions): Settings {
  if (typeof options.storage?.open !== 'function') {
    throw wrong(
      'storage',
      "a Storage, such as sqlShardStorage({ databasesDirectory: 'verdant-dbs' })",
      options.storage,
    );
  }
  if (options.profiles !== undefined && typeof options.profiles.get !== 'function') {
    throw wrong('profiles', 'an object with a method get(userId)', options.profiles);
  }
  if (options.fileStorage !== undefined && typeof options.fileStorage.put !== 'function') {
    throw wrong('fileStorage', 'a FileStorage, such as new LocalFileStorage({ … })', options.fileStorage);
  }
  const limits = { ...defaultLimits };
  for (const [name, value] of Object.entries(options.limits ?? {})) {
    if (!(name in defaultLimits)) {
      throw wrong('limits', `limits named ${Object.keys(defaultLimits).join(', ')}`, name);
    }
    if (value !== undefined) limits[name as keyof Limits] = positive(`limits.${name}`, value);
  }
  if (limits.maxUnfinishedBytesPerUser < limits.maxMessageBytes) {
    throw wrong(
      'limits.maxUnfinishedBytesPerUser',
      `at least limits.maxMessageBytes (${limits.maxMessageBytes}), or no message of that size could arrive`,
      limits.maxUnfinishedBytesPerUser,
    );
  }
  return {
    truancyMs: positive('replicaTruancyMinutes', options.replicaTruancyMinutes ?? 7 * 24 * 60) * 60_000,
    fileExpiryMs:
      atLeastZero('fileDeleteExpirationDays', options.fileDeleteExpirationDays ?? 14) * 86_400_000,
    fileQuota: quotaFrom(options.fileQuota),
    disableRebasing: options.disableRebasing ?? false,
    maxClockDrift: atLeastZero('maxClockDrift', options.maxClockDrift ?? 60_000),
    closeSocketsOnTokenExpiry: options.closeSocketsOnTokenExpiry ?? true,
    limits,
    profileCacheMs: atLeastZero('profileCacheMs', options.profileCacheMs ?? 60_000),
    presenceLeaseMs: positive('presenceLeaseMs', options.presenceLeaseMs ?? 5 * 60_000),
    libraryIdleMs: atLeastZero('libraryIdleMs', options.libraryIdleMs ?? 60_000),
  };
}

function quotaFrom(quota: VerdantOptions['fileQuota']): Settings['fileQuota'] {
  if (quota === undefined) return null;
  if (typeof quota === 'function') return quota;
  if (typeof quota === 'number' && quota >= 0) return quota;
  throw wrong('fileQuota', 'a number of bytes, or a function of a library id', quota);
}

function positive(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw wrong(name, 'a number above 0', value);
}

function atLeastZero(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw wrong(name, 'a number of at least 0', value);
}

const wrong = (name: string, expected: string, got: unknown): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Configuration,
    `createVerdant: '${name}' has to be ${expected}; it is ${describe(got)}.`,
  );

const describe = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'string' ? JSON.stringify(value) : `of type ${typeof value}`;
