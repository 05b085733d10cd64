import type { TestClient } from '../clients/open-client.js';
import type { Baseline, Content, Operation } from './ledger.js';

/** What a client has of the library in its own database, the same in both generations. */
export async function databaseOf({ device }: TestClient): Promise<Content> {
  const database = await finished(device.indexedDB.open('app_meta'));
  try {
    const stores = database.transaction(['baselines', 'operations']);
    const [baselines, operations] = await Promise.all([
      finished(stores.objectStore('baselines').getAll()),
      finished(stores.objectStore('operations').getAll()),
    ]);
    return { baselines: baselines as Baseline[], operations: operations as Operation[] };
  } finally {
    database.close();
  }
}

/** Roots of the documents that a client's queries can find: it keeps those apart, and by itself. */
export async function foundByQueries({ device }: TestClient): Promise<ReadonlySet<string>> {
  const database = await finished(device.indexedDB.open('app_collections'));
  try {
    const names = [...database.objectStoreNames];
    const stores = database.transaction(names);
    const roots = names.map(async (name) =>
      (await finished(stores.objectStore(name).getAllKeys())).map((id) => `${name}/${id}`),
    );
    return new Set((await Promise.all(roots)).flat());
  } finally {
    database.close();
  }
}

const finished = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
