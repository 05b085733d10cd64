import type * as Verdant from 'verdant-store-5';
import { authEndpoint } from '../sync.js';
import { user } from '../user.js';

declare global {
  interface Window {
    /** Set by the bundle of the client 5.5.0, which notes.html loads. */
    Verdant: typeof Verdant;
  }
}

const { authorization, Client, createMigration, schema } = window.Verdant;

const notesSchema = schema({
  version: 1,
  collections: {
    notes: schema.collection({
      name: 'note',
      primaryKey: 'id',
      fields: {
        id: schema.fields.string({ default: () => crypto.randomUUID() }),
        text: schema.fields.string(),
        createdAt: schema.fields.number({ default: () => Date.now() }),
      },
      indexes: { createdAt: { field: 'createdAt' } },
    }),
  },
});

const client = new Client({
  namespace: `notes-${user}`,
  schema: notesSchema,
  oldSchemas: [notesSchema],
  migrations: [createMigration(notesSchema)],
  sync: {
    authEndpoint: authEndpoint('notes'),
    initialPresence: {},
    defaultProfile: {},
    initialTransport: 'realtime',
    automaticTransportSelection: false,
  },
}) as Verdant.ClientWithCollections;

// A generated client would declare its collections; this bundle has no generator here.
const collection = client.notes!;

/** The notes that this user may see, oldest first. */
export const notes = collection.findAll({ index: { where: 'createdAt', order: 'asc' } });

/** Calls `listener` whenever the connection comes or goes. */
export const onConnection = (listener: (isConnected: boolean) => void): void => {
  client.sync.subscribe('onlineChange', listener);
};

/** A private note is sent to the other devices of this user, and to nobody else. */
export const addNote = (text: string, isPrivate: boolean) =>
  collection.put({ text }, isPrivate ? PRIVATE : undefined);

const PRIVATE = {
  access: authorization.private,
  // Private documents should not have an id of your own choosing, and the client takes the schema's default for one.
  silenceAccessControlWithPrimaryKeyWarning: true,
};

export const removeNote = (id: string) => collection.delete(id);

client.sync.start();
