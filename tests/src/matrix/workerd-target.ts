import type { Library } from '@verdant-web/core';
import { type RunningWorker, startWorker } from '../../../packages/cloudflare/src/testing/start-worker.js';
import { freePort, removeFolder, temporaryFolder } from '../server.js';
import type { ServerTarget, TargetOptions } from './server-target.js';

/** A worker whose Durable Objects are libraries, in workerd, as a target. */
export async function startWorkerdTarget(options: Omit<TargetOptions, 'storage'>): Promise<ServerTarget> {
  const persist = await temporaryFolder();
  const startAt = (at: number) => startWorker({ port: at, persist, options: { ...options } });
  const errors: string[] = [];
  let port = await freePort();
  let worker: RunningWorker = await startAt(port).catch(async () => {
    // Somebody else has taken the port meanwhile.
    port = await freePort();
    return startAt(port);
  });
  const library = (id: string) => {
    const call =
      (method: string) =>
      <Result>(...args: unknown[]) =>
        worker.control<Result>(id, method, ...args);
    return Object.fromEntries(METHODS.map((method) => [method, call(method)])) as unknown as Omit<
      Library,
      'id'
    >;
  };
  const end = async () => {
    await worker.stop();
    errors.push(...worker.errors);
  };
  return {
    base: `http://localhost:${port}`,
    get errors() {
      return [...errors, ...worker.errors];
    },
    library,
    evict: (id) => worker.control(id, 'evict'),
    keepsFile: async (fileId) => {
      const keys = (await (await fetch(`http://localhost:${port}/bucket`)).json()) as string[];
      return keys.some((key) => key.includes(fileId));
    },
    async restart() {
      await end();
      worker = await startAt(port);
    },
    async stop() {
      await worker.stop();
      await removeFolder(persist);
    },
  };
}

const METHODS: readonly (keyof Omit<Library, 'id'>)[] = [
  'getInfo',
  'getDocumentSnapshot',
  'getFileInfo',
  'getPresence',
  'forceTruant',
  'evictUser',
];
