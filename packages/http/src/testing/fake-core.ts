import { createLog, type Verdant } from '@verdant-web/core';
import { type LibraryId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';

/** What a {@link fakeCore} was asked, and what it logged. */
export interface FakeCore {
  core: Verdant;
  /** Texts of sync requests. */
  requests: string[];
  uploads: { id: string; name: string; type: string; size: number; bytes: Uint8Array }[];
  logged: unknown[][];
}

/** As much of the sync service as the router uses; `parts` replaces some of it. Its only good token is `good`. */
export const fakeCore = (parts: Partial<Verdant> = {}): FakeCore => {
  const requests: string[] = [];
  const uploads: FakeCore['uploads'] = [];
  const logged: unknown[][] = [];
  const core = {
    limits: { maxMessageBytes: 1_000, maxFileBytes: 5_000 },
    log: createLog((...line) => void logged.push(line), 'debug'),
    authenticate: async (token: string | undefined) => {
      if (!token) throw new VerdantError(VerdantErrorCode.NoToken, 'No access token was sent.');
      if (token === 'old') throw new VerdantError(VerdantErrorCode.TokenExpired, 'Fetch a fresh one.');
      if (token !== 'good') throw new VerdantError(VerdantErrorCode.InvalidToken, 'This is no access token.');
      return { userId: 'u', libraryId: 'lib' } as VerifiedToken;
    },
    intake: () => ({ arrived: () => {}, done: () => {} }),
    request: async (_token: VerifiedToken, text: string) => {
      requests.push(text);
      return pieces('{"messages":[', ']}');
    },
    files: {
      upload: async (
        _token: VerifiedToken,
        file: { id: string; name: string; type: string; size: number },
        body: ReadableStream,
      ) => {
        const bytes = new Uint8Array(await new Response(body).arrayBuffer());
        uploads.push({ ...file, bytes });
      },
      info: async (_token: VerifiedToken, id: string) => {
        if (id === 'unknown') throw new VerdantError(VerdantErrorCode.NotFound, 'There is no such file.');
        const libraryId = 'lib' as LibraryId;
        return {
          id,
          libraryId,
          name: 'a.txt',
          type: 'text/plain',
          url: 'http://files/a.txt',
          remote: true as const,
        };
      },
    },
    ...parts,
  } as unknown as Verdant;
  return { core, requests, uploads, logged };
};

/** An answer in these pieces. */
export async function* pieces(...texts: string[]): AsyncGenerator<string> {
  yield* texts;
}

/** Headers of a request that is let in, and comes from a page. */
export const asClient = { authorization: 'Bearer good', origin: 'https://app.example' };
