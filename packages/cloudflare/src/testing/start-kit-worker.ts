import { Miniflare } from 'miniflare';
import { bundleWorker } from './start-worker.js';

export interface KitWorker {
  /** Without a slash at its end. */
  readonly base: string;
  stop(): Promise<void>;
}

/** Runs the worker that the suites of the testkit call, in workerd. Everything is in memory. */
export async function startKitWorker(): Promise<KitWorker> {
  const miniflare = new Miniflare({
    modules: true,
    script: await bundleWorker('./kit-worker.ts'),
    host: '127.0.0.1',
    port: 0,
    // What Cloudflare would say of a request is not asked for over the network.
    cf: false,
    compatibilityDate: '2026-04-01',
    durableObjects: {
      STORAGES: { className: 'StorageObject', useSQLite: true },
      FILE_STORAGES: { className: 'FileStorageObject', useSQLite: true },
    },
    r2Buckets: ['FILES'],
  });
  const base = (await miniflare.ready).href.replace(/\/$/, '');
  return { base, stop: () => miniflare.dispose() };
}
