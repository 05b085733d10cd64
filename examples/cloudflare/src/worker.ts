// A whole Verdant server on Cloudflare. What is left to you is marked: above all, it believes anyone who they say they are.

import { DurableObject } from 'cloudflare:workers';
import {
  createVerdantWorkerApp,
  DurableObjectLibrary,
  R2FileStorage,
  serveR2Files,
} from '@verdant-web/cloudflare';
import { credentialedCors } from '@verdant-web/http';
import { TokenProvider } from '@verdant-web/tokens';
import { Hono } from 'hono';

/** What wrangler.jsonc and .dev.vars bind. */
interface Env {
  LIBRARIES: DurableObjectNamespace<VerdantLibrary>;
  FILES: R2Bucket;
  FILES_HOST: string;
  TOKEN_SECRET: string;
}

/** One library. */
export class VerdantLibrary extends DurableObject<Env> {
  readonly #library = new DurableObjectLibrary(this.ctx, {
    tokenSecret: this.env.TOKEN_SECRET,
    profiles: {
      // left to you: look the user up, and add a name and a picture
      get: async (userId) => ({ id: userId }),
    },
    fileStorage: new R2FileStorage({ bucket: this.env.FILES, host: this.env.FILES_HOST }),
    log: (level, ...args) => console.log(level, ...args),
  });

  // The runtime calls these; each passes on to the method of the same name.
  override fetch(request: Request) {
    return this.#library.fetch(request);
  }
  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer) {
    return this.#library.webSocketMessage(socket, message);
  }
  override webSocketClose(socket: WebSocket, code: number, reason: string) {
    return this.#library.webSocketClose(socket, code, reason);
  }
  override webSocketError(socket: WebSocket) {
    return this.#library.webSocketError(socket);
  }
  override alarm() {
    return this.#library.alarm();
  }
}

export default new Hono<{ Bindings: Env }>()
  // left to you: the origins of your pages, where they are not served by this worker
  .use('/auth/*', credentialedCors({ allowedOrigins: ['http://localhost:5173'] }))
  // issue sync tokens
  .get('/auth/:libraryId', (c) => {
    // left to you: your own session, and whether its user may sync this library. This believes anyone.
    const userId = c.req.query('user') ?? 'someone';

    const tokens = new TokenProvider({ secret: c.env.TOKEN_SECRET });
    const accessToken = tokens.getToken({
      libraryId: c.req.param('libraryId'),
      userId,
      syncEndpoint: new URL('/verdant', c.req.url).href,
      expiresIn: '1h',
    });
    return c.json({ accessToken });
  })
  // sync: HTTP, sockets and uploads
  .route(
    '/verdant',
    createVerdantWorkerApp({ durableObjectBindingName: 'LIBRARIES', tokenSecretBindingName: 'TOKEN_SECRET' }),
  )
  // serve uploaded files, where FILES_HOST points
  .route('/files', serveR2Files({ bucketBindingName: 'FILES' }));
