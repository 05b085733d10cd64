import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  type GenerateKeyPairOptions,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';

/** A key pair of an identity provider. */
export interface SigningKey {
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  /** Signs claims; `header` replaces what the header says otherwise. */
  sign(claims: object, header?: object): Promise<string>;
}

export async function signingKey(
  alg: string,
  kid?: string,
  options: GenerateKeyPairOptions = {},
): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
  const id = kid === undefined ? {} : { kid };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...id },
    privateJwk: { ...(await exportJWK(privateKey)), ...id },
    sign: (claims, header = {}) =>
      new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, ...id, ...header }).sign(privateKey),
  };
}

/** An HTTP server that publishes a JWK set, as an identity provider does. */
export class KeyServer {
  /** What is published; a string is sent as it is. */
  keys: JSONWebKeySet | string = { keys: [] };
  status = 200;
  /** Takes requests and never answers. */
  hangs = false;
  requests = 0;
  url = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.requests++;
      if (this.hangs) return;
      response.writeHead(this.status, { 'Content-Type': 'application/json' });
      response.end(typeof this.keys === 'string' ? this.keys : JSON.stringify(this.keys));
    });
  }

  static async start(...keys: SigningKey[]): Promise<KeyServer> {
    const server = new KeyServer();
    server.publish(...keys);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    const { port } = server.#server.address() as AddressInfo;
    server.url = `http://127.0.0.1:${port}/.well-known/jwks.json`;
    return server;
  }

  publish(...keys: SigningKey[]): void {
    this.keys = { keys: keys.map(({ publicJwk }) => publicJwk) };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
