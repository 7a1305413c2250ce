// A token issuer for tests: real keys, real signatures, discovery and JWKS over loopback HTTP. It stands in for an
// identity provider where a test needs tokens that a well-behaved one would not issue.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TestClaims {
  readonly sub: string;
  readonly kind?: 'user' | 'agent' | 'service';
  readonly groups?: readonly string[];
  readonly owner?: string;
  /** Seconds from now; negative for an expired token. */
  readonly ttl?: number;
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  token(claims: TestClaims): Promise<string>;
  stop(): Promise<void>;
}

export async function createTestIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    const document = request.url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` };
    response.end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audience = 'urn:sluice:test';
  return {
    issuer,
    audience,
    token: ({ sub, kind, groups, owner, ttl = 3_600, more }) =>
      new SignJWT({ ...(kind ? { kind } : {}), groups: groups ?? [], ...(owner ? { owner } : {}), ...more })
        .setProtectedHeader({ alg: 'ES256', kid: 'test' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(sub)
        .setIssuedAt(Math.floor(Date.now() / 1_000) - (ttl < 0 ? 7_200 : 0))
        .setExpirationTime(Math.floor(Date.now() / 1_000) + ttl)
        .sign(privateKey),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
