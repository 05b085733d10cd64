import { connectReplica } from './replica.js';

/*
 * Sockets that are connected, have synced, and then do nothing. They stay until this process is ended.
 */

export interface IdleSocketsLoad {
  base: string;
  /** What the names of its libraries begin with. */
  of: string;
  libraries: number;
  socketsOfALibrary: number;
}

export interface IdleSocketsFigures {
  connectSeconds: number;
}

const CONNECTING_AT_ONCE = 32;
const load = JSON.parse(process.argv[2]!) as IdleSocketsLoad;
const started = performance.now();
const libraries = Array.from({ length: load.libraries }, (_, index) => index).values();

await Promise.all(
  Array.from({ length: CONNECTING_AT_ONCE }, async () => {
    for (const library of libraries) {
      for (let socket = 0; socket < load.socketsOfALibrary; socket++) {
        const user = `user-${library}-${socket}`;
        await connectReplica(load.base, `${load.of}-${library}`, user);
      }
    }
  }),
);
const figures: IdleSocketsFigures = { connectSeconds: (performance.now() - started) / 1000 };
process.send!(figures);
