import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** For tests: an issuer on loopback that is as honest or as hostile as the test wants. */
export interface TestIssuer {
  readonly url: string;
  /** Requests so far, by path. */
  readonly requests: Map<string, number>;
  /** Replaces the answer for a path; undefined gives the honest one back. */
  answer(path: string, handler: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
  /** Makes a new key the only one; returns its key id. */
  rotate(): Promise<string>;
  readonly key: { readonly privateKey: CryptoKey; readonly publicJwk: JWK; readonly kid: string };
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestIssuer(): Promise<TestIssuer> {
  const handlers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  const requests = new Map<string, number>();
  let key = await newKey(1);
  let generation = 1;
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const handler = handlers.get(path);
    if (handler) return handler(request, response);
    response.setHeader('content-type', 'application/json');
    if (path === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/jwks` }));
    } else if (path === '/jwks') {
      response.end(JSON.stringify({ keys: [key.publicJwk] }));
    } else {
      response.writeHead(404).end();
    }
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    answer(path, handler) {
      if (handler) handlers.set(path, handler);
      else handlers.delete(path);
    },
    async rotate() {
      generation += 1;
      key = await newKey(generation);
      return key.kid;
    },
    get key() {
      return key;
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(key.privateKey),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function newKey(generation: number): Promise<TestIssuer['key']> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = `key-${generation}`;
  return { privateKey, kid, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}
