import { DurableObject } from 'cloudflare:workers';
import type { StoredFile } from '@verdant-web/core';
import { credentialedCors } from '@verdant-web/http';
import type { ReplicaType } from '@verdant-web/protocol';
import { TokenProvider } from '@verdant-web/tokens';
import { Hono } from 'hono';
import {
  createVerdantWorkerApp,
  DurableObjectLibrary,
  type DurableObjectLibraryOptions,
  R2FileStorage,
  serveR2Files,
} from '../index.js';
import { withCountedRows } from './counted-rows.js';

interface Env {
  LIBRARIES: DurableObjectNamespace<VerdantLibrary>;
  FILES: R2Bucket;
  TOKEN_SECRET: string;
  /** Of the secret that it replaces. */
  OLD_TOKEN_SECRET: string;
  /** Where the worker is reached. */
  BASE: string;
  /** Whether the rows of its objects are counted. */
  COUNT_ROWS?: boolean;
  /** As JSON. */
  OPTIONS?: Partial<DurableObjectLibraryOptions>;
}

/** Libraries whose files cannot be deleted. */
const undeletable = new Set<string>();

class Files extends R2FileStorage {
  override async delete(file: StoredFile): Promise<void> {
    if (undeletable.has(file.libraryId)) throw new Error('on purpose');
    await super.delete(file);
  }
}

/** What a line of the process's output begins with that an object logged as an error. */
const LOGGED_ERROR = 'logged error: ';

export class VerdantLibrary extends DurableObject<Env> {
  readonly #counted = this.env.COUNT_ROWS ? withCountedRows(this.ctx) : null;
  readonly #library = new DurableObjectLibrary(this.#counted?.state ?? this.ctx, {
    tokenSecret: [this.env.TOKEN_SECRET, this.env.OLD_TOKEN_SECRET],
    profiles: { get: async (userId) => ({ id: userId, name: `Name of ${userId}` }) },
    fileStorage: new Files({ bucket: this.env.FILES, host: `${this.env.BASE}/files` }),
    log: (level, message, fields) => {
      const { err } = fields as { err?: Error };
      if (level === 'error')
        console.error(
          `${LOGGED_ERROR}${JSON.stringify(`${message} ${err?.stack ?? JSON.stringify(fields)}`)}`,
        );
    },
    ...this.env.OPTIONS,
  });
  /** Differs after the object has left memory. */
  readonly #life = crypto.randomUUID();
  /** The next alarm, as it was set when each had been handled. */
  readonly #alarmsAfter: (number | null)[] = [];

  override fetch(request: Request): Promise<Response> {
    return this.#library.fetch(request);
  }
  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#library.webSocketMessage(socket, message);
  }
  override webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    return this.#library.webSocketClose(socket, code, reason);
  }
  override webSocketError(socket: WebSocket): Promise<void> {
    return this.#library.webSocketError(socket);
  }
  override async alarm(): Promise<void> {
    await this.#library.alarm();
    this.#alarmsAfter.push(await this.ctx.storage.getAlarm());
  }

  /** What an operator may do: a method by its name. */
  async control(libraryId: string, method: string, args: unknown[]): Promise<unknown> {
    if (method === 'life') return this.#life;
    if (method === 'abort') this.ctx.abort('on purpose');
    if (method === 'rows') return this.#counted?.rows();
    if (method === 'alarmAt') return this.ctx.storage.getAlarm();
    if (method === 'alarmsAfter') return this.#alarmsAfter;
    if (method === 'alarmNow') return this.ctx.storage.setAlarm(Date.now());
    if (method === 'failDeletes') return void undeletable.add(libraryId);
    if (method === 'allowDeletes') return void undeletable.delete(libraryId);
    await this.#library.initialize(libraryId);
    const call = (this.#library as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[
      method
    ];
    return call?.apply(this.#library, args);
  }
}

const app = new Hono<{ Bindings: Env }>()
  .use('/auth/*', credentialedCors({ allowedOrigins: () => true }))
  .get('/auth/:libraryId', (c) => {
    const { userId = 'user', type, expiresIn, below = '', signedBy = 'TOKEN_SECRET' } = c.req.query();
    const provider = new TokenProvider({ secret: c.env[signedBy as 'TOKEN_SECRET' | 'OLD_TOKEN_SECRET'] });
    const accessToken = provider.getToken({
      libraryId: c.req.param('libraryId'),
      userId,
      syncEndpoint: `${new URL(c.req.url).origin}/verdant${below}`,
      ...(type !== undefined && { type: Number(type) as ReplicaType }),
      ...(expiresIn !== undefined && { expiresIn: Number(expiresIn) }),
    });
    return c.json({ accessToken });
  })
  .route(
    '/verdant',
    createVerdantWorkerApp({
      durableObjectBindingName: 'LIBRARIES',
      tokenSecretBindingName: ['TOKEN_SECRET', 'OLD_TOKEN_SECRET'],
    }),
  )
  .route('/files', serveR2Files({ bucketBindingName: 'FILES' }))
  .get('/bucket', async (c) => c.json((await c.env.FILES.list()).objects.map(({ key }) => key)))
  .post('/control/:libraryId/:method', async (c) => {
    const { libraryId, method } = c.req.param();
    const stub = c.env.LIBRARIES.get(c.env.LIBRARIES.idFromName(libraryId));
    try {
      const result = await stub.control(libraryId, method, await c.req.json());
      return c.json({ result: result ?? null });
    } catch (error) {
      return c.json({ error: String(error) }, 500);
    }
  });

export default app;
