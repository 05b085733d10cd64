import { connectYjs } from './yjs-replica.js';

/* Sockets on hocuspocus that have synced a document of their own kind, and then do nothing, until this process is ended. */

export interface YjsIdleLoad {
  base: string;
  /** What the names of its documents begin with. */
  of: string;
  documents: number;
  socketsOfADocument: number;
}

const CONNECTING_AT_ONCE = 32;
const load = JSON.parse(process.argv[2]!) as YjsIdleLoad;
const documents = Array.from({ length: load.documents }, (_, index) => index).values();

await Promise.all(
  Array.from({ length: CONNECTING_AT_ONCE }, async () => {
    for (const document of documents) {
      for (let socket = 0; socket < load.socketsOfADocument; socket++) {
        await connectYjs(load.base, `${load.of}-${document}`);
      }
    }
  }),
);
process.send!({});
