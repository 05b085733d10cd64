import { createHmac, timingSafeEqual } from 'node:crypto';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** How the URLs of a {@link LocalFileStorage} are signed. */
export interface SignedUrlOptions {
  /** At least 16 bytes; several while one replaces another: the first signs, all verify. Undefined is refused at start. */
  secret: string | readonly string[] | undefined;
  /**
   * How long a URL works. Clients keep the URL of a file for good, and do not ask for another when it has stopped
   * working: see docs/files.md before you choose less than you expect a device to keep a document.
   */
  expiresInSeconds: number;
}

/** Signs paths for a time, and tells whether a signature is good. */
export class UrlSigner {
  readonly #secrets: readonly [string, ...string[]];
  readonly #lifetime: number;

  /** @throws {VerdantError} Configuration (5010). */
  constructor({ secret, expiresInSeconds }: SignedUrlOptions) {
    const [first, ...others] = [secret ?? []].flat();
    if (first === undefined) throw configuration('the secret is missing.');
    this.#secrets = [first, ...others];
    for (const one of this.#secrets) {
      if (typeof one !== 'string' || Buffer.byteLength(one) < MINIMUM_BYTES)
        throw configuration(`a secret has at least ${MINIMUM_BYTES} bytes.`);
    }
    if (!(Number.isSafeInteger(expiresInSeconds) && expiresInSeconds > 0))
      throw configuration('expiresInSeconds has to be a whole number above 0.');
    this.#lifetime = expiresInSeconds;
  }

  /** What the query of a URL says, besides what else is in it. */
  sign(path: string): { expires: string; signature: string } {
    const expires = String(Math.floor(Date.now() / 1000) + this.#lifetime);
    return { expires, signature: macOf(this.#secrets[0], path, expires).toString('base64url') };
  }

  /**
   * Until when (ms) the URL works.
   *
   * @throws {VerdantError} Forbidden (4030) where it does not.
   */
  verify(path: string, query: URLSearchParams): number {
    const expires = query.get('expires') ?? '';
    const signature = Buffer.from(query.get('signature') ?? '', 'base64url');
    const isGood = this.#secrets.some((secret) => {
      const expected = macOf(secret, path, expires);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
    if (!isGood) throw forbidden('The link to this file is not complete, or was changed.');
    const expiresAt = Number(expires) * 1000;
    if (expiresAt <= Date.now())
      throw forbidden('The link to this file has expired. Ask for its URL once more.');
    return expiresAt;
  }
}

const MINIMUM_BYTES = 16;

/** The path has no line breaks, so that no two of them and a time are one text. */
const macOf = (secret: string, path: string, expires: string): Buffer =>
  createHmac('sha256', secret).update(`verdant file\n${path}\n${expires}`).digest();

const forbidden = (message: string) => new VerdantError(VerdantErrorCode.Forbidden, message);

const configuration = (problem: string) =>
  new VerdantError(VerdantErrorCode.Configuration, `signedUrls of LocalFileStorage: ${problem}`);
