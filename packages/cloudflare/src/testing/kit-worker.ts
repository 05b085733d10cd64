import { DurableObject } from 'cloudflare:workers';
import type { IncomingFile, LibraryStorage, OpenedBytes, StagedRows } from '@verdant-web/core';
import { Hono } from 'hono';
import { R2FileStorage, serveR2Files } from '../index.js';
import { ObjectStorage } from '../object-storage.js';
import { answering, type Call, decoded, type Held, type Iterated } from './call.js';
import { framed, streamOf, unframed } from './framed-body.js';

interface Env {
  STORAGES: DurableObjectNamespace<StorageObject>;
  FILE_STORAGES: DurableObjectNamespace<FileStorageObject>;
  FILES: R2Bucket;
}

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** An `ObjectStorage` in its habitat, for `RemoteStorage` to call. */
export class StorageObject extends DurableObject<Env> {
  #storage: ObjectStorage | undefined;
  readonly #held: object[] = [];

  override fetch(request: Request): Promise<Response> {
    return answering(async () => this.#call(decoded<Call>(await request.text())));
  }

  async #call({ on, method, args }: Call): Promise<unknown> {
    const called = (on === null ? this.#self : this.#held[on]) as Methods | undefined;
    if (!called?.[method]) throw new Error(`There is no ${method} to call.`);
    const result = await called[method](...args);
    if (method === 'open') return this.#hold(libraryWithStages(result as LibraryStorage));
    if (method === 'stage') return this.#hold(result as object);
    return isAsyncIterable(result) ? this.#iterate(result[Symbol.asyncIterator]()) : result;
  }

  readonly #self = {
    reopen: async () => {
      await this.#storage?.close();
      this.#storage = new ObjectStorage(this.ctx.storage);
      return { ...this.#hold(this.#storage), limits: this.#storage.limits };
    },
    remove: async () => {
      await this.#storage?.close();
      await this.ctx.storage.deleteAll();
    },
    sql: async (text: string) => this.ctx.storage.sql.exec(text).toArray(),
    databaseBytes: async () => this.ctx.storage.sql.databaseSize,
    die: async () => this.ctx.abort('on purpose'),
  };

  async #iterate(iterator: AsyncIterator<unknown>): Promise<Iterated<unknown>> {
    const first = await iterator.next();
    return { first, rest: first.done ? null : this.#hold(iterator) };
  }

  #hold(one: object): Held {
    const has = OPTIONAL.filter((method) => method in one);
    return { held: this.#held.push(one) - 1, has };
  }
}

const OPTIONAL = ['setAside', 'readBaselineTexts', 'readOperationTexts'];

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** The library, but that the pages of a stage are called for one by one. */
const libraryWithStages = (library: LibraryStorage): object =>
  new Proxy(library, {
    get(_, name) {
      if (name === 'stage') return () => new Staging(library);
      const value: unknown = Reflect.get(library, name);
      return typeof value === 'function' ? value.bind(library) : value;
    },
  });

/** A stage whose pages are still to come. */
class Staging {
  readonly #writer: WritableStreamDefaultWriter<StagedRows>;
  readonly #staged: Promise<string>;

  constructor(library: LibraryStorage) {
    const { readable, writable } = new TransformStream<StagedRows, StagedRows>();
    this.#writer = writable.getWriter();
    this.#staged = library.stage(readable as unknown as AsyncIterable<StagedRows>);
    // Told by the next call.
    this.#staged.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  /** Where the library wants no more pages, its reason is told, not that of the stream. */
  async page(rows: StagedRows): Promise<void> {
    await this.#writer.write(rows).catch(() => this.#staged);
  }

  async end(): Promise<string> {
    await this.#writer.close().catch(() => {});
    return this.#staged;
  }

  async fail(message: string): Promise<string> {
    await this.#writer.abort(new Error(message)).catch(() => {});
    return this.#staged;
  }
}

/** An `R2FileStorage` where libraries have theirs: in a Durable Object. For `RemoteFileStorage` to call. */
export class FileStorageObject extends DurableObject<Env> {
  readonly #opened: OpenedBytes[] = [];

  override async fetch(request: Request): Promise<Response> {
    const { origin, pathname } = new URL(request.url);
    const [, , name, action] = pathname.split('/');
    const bucket = this.env.FILES;
    const storage = new R2FileStorage({ bucket, host: `${origin}/served/${name}`, prefix: `${name}/` });
    if (action === 'put') return answering(() => this.#put(storage, request.body!));
    const { on, method, args } = decoded<Call>(await request.text());
    const opened = on === null ? undefined : this.#opened[on];
    if (opened && method === 'read')
      return new Response(streamOf(framed(null, opened.read(...(args as [])))));
    if (opened) return answering(() => opened.close());
    if (method === 'fill') return answering(() => fill(bucket, name!, ...(args as [number])));
    return answering(() => this.#call(storage, method, args as [never]));
  }

  async #put(storage: R2FileStorage, request: ReadableStream<Uint8Array>): Promise<void> {
    const { header, body, frames } = await unframed<IncomingFile>(request);
    try {
      await storage.put(header, body);
    } finally {
      // A connection on which a request was not read to its end cannot be used for the next.
      for await (const _ of frames);
    }
  }

  async #call(storage: R2FileStorage, method: string, [about]: [never]): Promise<unknown> {
    if (method === 'open') return this.#open(await storage.open(about));
    if (method === 'getUrl') return storage.getUrl(about);
    if (method === 'delete') return storage.delete(about);
    if (method === 'remove') return storage.inventory.remove(about);
    if (method === 'list') return allOf(storage.inventory.list());
    throw new Error(`There is no ${method}.`);
  }

  #open(opened: OpenedBytes | null): unknown {
    if (!opened) return null;
    const { size, modifiedAt, version } = opened;
    return { held: this.#opened.push(opened) - 1, size, modifiedAt, version };
  }
}

/** So many empty objects below the name, put past the storage. */
async function fill(bucket: R2Bucket, name: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => bucket.put(`${name}/${index}`, '')));
}

async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export default {
  async fetch(request, env): Promise<Response> {
    const [, kind, name = ''] = new URL(request.url).pathname.split('/');
    if (kind === 'storages') return env.STORAGES.get(env.STORAGES.idFromName(name)).fetch(request);
    if (kind === 'file-storages')
      return env.FILE_STORAGES.get(env.FILE_STORAGES.idFromName(name)).fetch(request);
    const files = serveR2Files({ bucketBindingName: 'FILES', prefix: `${name}/` });
    return new Hono().route(`/served/${name}`, files).fetch(request, env);
  },
} satisfies ExportedHandler<Env>;
