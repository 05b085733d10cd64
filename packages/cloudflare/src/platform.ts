/**
 * What of the Workers runtime this package uses, so that it depends on no version of its types: those of
 * `@cloudflare/workers-types` and those that `wrangler types` generates fit.
 */

/** A `DurableObjectState`, as the constructor of a Durable Object is given it. */
export interface ObjectState {
  readonly storage: ObjectStorageApi;
  acceptWebSocket(socket: ObjectSocket, tags?: string[]): void;
  getWebSockets(tag?: string): ObjectSocket[];
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

/** A `DurableObjectStorage`, backed by SQLite. */
export interface ObjectStorageApi {
  readonly sql: ObjectSql;
  transactionSync<T>(work: () => T): T;
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
}

/** A `SqlStorage`. */
export interface ObjectSql {
  // biome-ignore lint/suspicious/noExplicitAny: the cursor is generic in the row, by name, and rows are read raw
  exec(query: string, ...params: any[]): ObjectSqlCursor;
  readonly databaseSize: number;
}

/** A `SqlStorageCursor`. */
export interface ObjectSqlCursor {
  raw(): Iterator<unknown[]> & Iterable<unknown[]>;
  readonly rowsWritten: number;
}

/** A `WebSocket` that an object has accepted. */
export interface ObjectSocket {
  send(message: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A binding of a class of Durable Objects. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the id is the namespace's own
  get(id: any): { fetch(request: Request): Promise<Response> };
}
