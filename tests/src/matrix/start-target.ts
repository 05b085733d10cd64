import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryStorage, sqlShardStorage, sqlStorage } from '@verdant-web/server/storage';
import { removeFolder, startApp, temporaryFolder } from '../server.js';
import type { ServerTarget, StorageKind, TargetOptions } from './server-target.js';
import { startWorkerdTarget } from './workerd-target.js';

type OpenStorage = NonNullable<NonNullable<Parameters<typeof startApp>[0]>['storage']>;

/** Starts what scenarios run against. */
export const startTarget = ({ storage = 'sharded', ...options }: TargetOptions): Promise<ServerTarget> =>
  storage === 'workerd' ? startWorkerdTarget(options) : startNodeTarget(storage, options);

/** The sample of the documentation in this process, as a target. */
async function startNodeTarget(
  storage: NodeStorage,
  options: Omit<TargetOptions, 'storage'>,
): Promise<ServerTarget> {
  const directory = await temporaryFolder();
  const app = await startApp({ ...options, directory, storage: storages[storage]() });
  return {
    base: app.base,
    errors: app.errors,
    library: (id) => app.core.get(id),
    evict: (id) => app.core.evict(id),
    keepsFile: async (fileId) =>
      (await readdir(join(directory, 'files'), { recursive: true })).some((path) => path.includes(fileId)),
    restart: app.restart,
    stop: async () => {
      await app.stop();
      await removeFolder(directory);
    },
  };
}

type NodeStorage = Exclude<StorageKind, 'workerd'>;

const storages: Record<NodeStorage, () => OpenStorage> = {
  // One for all restarts: what it holds lives as long as it does.
  memory: () => {
    const storage = memoryStorage();
    return () => storage;
  },
  sharded: () => (databasesDirectory) => sqlShardStorage({ databasesDirectory }),
  unified: () => (directory) => sqlStorage({ databaseFile: `${directory}.sqlite` }),
};
