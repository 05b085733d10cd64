/** What the world outside knew, in the order in which it came to know it. */
export type Told =
  /** A device wrote an operation, and handed it to the server in its message of this number. */
  | { did: 'wrote'; library: string; writer: string; message: number; timestamp: string; oid: string }
  /** The server told a device that all of its operations up to this time are stored. */
  | { did: 'acknowledged'; library: string; writer: string; through: string }
  /** The server showed operations of others to a device. */
  | { did: 'shown'; library: string; timestamps: string[] }
  /** The operator called, or was told that it is done. */
  | { did: 'evicting' | 'evicted'; library: string }
  | { did: 'revoking' | 'revoked'; user: string }
  /** A file was handed over, or confirmed. */
  | { did: 'uploading' | 'uploaded'; library: string; id: string };

/** What a document holds that is called so: whoever reads it can tell. */
export const contentOf = (oid: string): string => {
  const size = 20 + ((Number(oid.split('-').at(-1)) * 7919) % 6_000);
  return oid.repeat(Math.ceil(size / oid.length)).slice(0, size);
};

/** The bytes of a file of this name. */
export const bytesOf = (id: string): string => contentOf(`${id}-${id.length}`);
