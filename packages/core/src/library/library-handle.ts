import type { LibraryId, ReplicaId, UserId } from '@verdant-web/protocol';
import { readDocumentSnapshot } from '../documents/snapshot.js';
import type { LibraryPresence } from '../presence/presence.js';
import type { ReplicaRow } from '../storage/rows.js';
import type { FileInfo, Library, LibraryInfo } from '../verdant.js';
import { isTruant } from './consensus.js';
import type { LiveLibrary } from './live-library.js';
import type { LibraryRegistry } from './registry.js';

/** A library as the app's own code sees it. */
export class LibraryHandle implements Library {
  readonly id: LibraryId;
  readonly #registry: LibraryRegistry;

  constructor(id: LibraryId, registry: LibraryRegistry) {
    this.id = id;
    this.#registry = registry;
  }

  getInfo(): Promise<LibraryInfo | null> {
    return this.#registry.use(this.id, (library) =>
      library.exclusively(async () => {
        const { head } = library.state;
        const rows = await allReplicas(library);
        if (!head.founded && rows.length === 0) return null;
        return {
          id: this.id,
          replicas: rows.map((row) => ({
            id: row.id,
            userId: row.userId,
            type: row.type,
            truant: isTruant(row, library.roll, library.activeSince),
            ackedLogicalTime: row.ackedTime,
            ackedServerOrder: row.ackedOrder,
          })),
          latestServerOrder: head.order,
          operationsCount: head.operations,
          baselinesCount: head.baselines,
          globalAck: head.announcedAck,
        };
      }),
    );
  }

  getDocumentSnapshot(collection: string, id: string): Promise<unknown> {
    return this.#registry.use(this.id, (library) =>
      library.exclusively(() =>
        readDocumentSnapshot(
          { id: this.id, storage: library.storage, fileStorage: library.services.fileStorage },
          collection,
          id,
        ),
      ),
    );
  }

  getFileInfo(id: string): Promise<FileInfo | null> {
    return this.#registry.use(this.id, async (library) => {
      const { fileStorage } = library.services;
      const file = await library.storage.readFile(id);
      if (!file || !fileStorage) return null;
      const { name, type } = file;
      const url = await fileStorage.getUrl({ id, libraryId: this.id, name, type });
      return { id, libraryId: this.id, name, type, url };
    });
  }

  getPresence(): Promise<LibraryPresence> {
    return this.#registry.use(this.id, async (library) => library.board.all());
  }

  forceTruant(replicaId: string): Promise<void> {
    return this.#registry.use(this.id, (library) =>
      library.exclusively(async () => {
        const row = (await allReplicas(library)).find(({ id }) => id === replicaId);
        if (!row) return;
        this.#disconnect(library, (id) => id === replicaId, row.userId, 'This replica was marked as truant.');
        library.state.dirty.delete(row.id);
        const { head } = library.state;
        await library.commit({
          head: { ...head, version: head.version + 1 },
          replicas: [{ ...row, lastSeen: 0 }],
        });
        library.log.info?.({ replicaId: row.id, userId: row.userId }, 'A replica is marked as truant.');
        library.settler.soon();
      }),
    );
  }

  evictUser(userId: string): Promise<void> {
    return this.#registry.use(this.id, (library) =>
      library.exclusively(async () => {
        const gone = (await allReplicas(library)).filter((row) => row.userId === userId).map(({ id }) => id);
        this.#disconnect(library, () => true, userId as UserId, 'This user was evicted from the library.');
        if (gone.length === 0) return;
        const { head } = library.state;
        const soleAuthor =
          head.soleAuthor !== null && gone.includes(head.soleAuthor) ? null : head.soleAuthor;
        await library.commit({
          head: { ...head, version: head.version + 1, soleAuthor },
          removeReplicas: gone,
        });
        for (const id of gone) library.state.replicas.delete(id);
        library.log.info?.({ userId, replicas: gone.length }, 'A user is evicted from a library.');
        library.settler.soon();
      }),
    );
  }

  #disconnect(
    library: LiveLibrary,
    which: (id: ReplicaId | null) => boolean,
    userId: UserId,
    reason: string,
  ): void {
    for (const socket of [...library.roll.sockets]) {
      if (socket.caller.userId === userId && which(socket.replicaId)) socket.close(1012, reason);
    }
    for (const { id } of library.state.replicas.values()) if (which(id)) library.roll.endLease(id, userId);
  }
}

/** Every replica, as memory has it where that is newer than what is stored. */
async function allReplicas(library: LiveLibrary): Promise<ReplicaRow[]> {
  const stored = await library.storage.readReplicas();
  return stored.map((row) => library.state.replicas.get(row.id) ?? row);
}
