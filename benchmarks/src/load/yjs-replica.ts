import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import * as Y from 'yjs';

/** A Yjs document that is kept in step through hocuspocus. */
export interface YjsReplica {
  readonly doc: Y.Doc;
  /** How many of its changes the server has not confirmed. */
  readonly unconfirmed: number;
  /** Called whenever the server has confirmed one. */
  onConfirmed: () => void;
  close(): void;
}

/** Connects; resolves when the document is what the server has. */
export async function connectYjs(base: string, name: string): Promise<YjsReplica> {
  const doc = new Y.Doc();
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: base.replace(/^http/, 'ws'),
    WebSocketPolyfill: WebSocket,
  });
  const provider = new HocuspocusProvider({ websocketProvider, name, document: doc, awareness: null });
  const replica: YjsReplica = {
    doc,
    get unconfirmed() {
      return provider.unsyncedChanges;
    },
    onConfirmed: () => {},
    close: () => {
      provider.destroy();
      websocketProvider.destroy();
      doc.destroy();
    },
  };
  provider.on('unsyncedChanges', () => replica.onConfirmed());
  const synced = new Promise<void>((resolve) => provider.on('synced', () => resolve()));
  // With a connection of its own it does not do so by itself.
  provider.attach();
  await synced;
  return replica;
}

/** An object like those of our documents: see `library-content.ts`. */
export function yjsItem(index: number): Y.Map<unknown> {
  const item = new Y.Map<unknown>();
  item.set('title', `Item ${index}`);
  item.set('done', index % 3 === 0);
  item.set('note', 'what an item of a list may say');
  return item;
}
