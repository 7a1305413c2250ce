/**
 * The demo's identity provider: a real OpenID provider on loopback that hands out JWT access tokens for the demo's cast,
 * by client credentials. It is an issuer like any other to the gateway, which finds its keys by discovery. It is no login
 * for people: whoever can read the data directory can be anybody.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Token } from 'oidc-provider';
import { listenOnLoopback } from '../loopback.ts';
import { cast, type Role, type RoleName, roleNames } from './cast.ts';

export interface IdentityProviderOptions {
  /** Folder for the signing key and the port; created when absent. */
  readonly dir: string;
  /** Seconds; a working day by default. */
  readonly tokenLifetime?: number;
}

export interface RunningIdentityProvider {
  readonly issuer: string;
  readonly audience: string;
  /** A fresh token for one of the cast. */
  token(role: RoleName): Promise<string>;
  stop(): Promise<void>;
}

/** What the tokens are for. A resource indicator (RFC 8707), so that they are JWTs with this audience. */
export const audience = 'urn:sluice:demo';

const host = '127.0.0.1';

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<RunningIdentityProvider> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const key = await keptKey(join(options.dir, 'signing-key.json'));
  const server = createServer();
  const port = await listenAsBefore(server, join(options.dir, 'port'));
  const issuer = `http://${host}:${port}`;
  const secrets = new Map(roleNames.map((name) => [name, randomBytes(32).toString('base64url')]));
  const Provider = await loadProvider();
  const provider = new Provider(issuer, configuration(key, secrets, options.tokenLifetime ?? 12 * 60 * 60));
  server.on('request', provider.callback());
  return {
    issuer,
    audience,
    token: (role) => requestToken(issuer, cast[role], secrets.get(role) ?? ''),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configuration(key: object, secrets: ReadonlyMap<RoleName, string>, lifetime: number): object {
  const roles: readonly Role[] = Object.values(cast);
  return {
    jwks: { keys: [key] },
    adapter: Forgetful,
    clients: roleNames.map((name) => ({
      client_id: cast[name].subject,
      client_secret: secrets.get(name),
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetime,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    ttl: { ClientCredentials: lifetime },
    extraTokenClaims: (_context: unknown, token: Token) => {
      const role = roles.find(({ subject }) => subject === token.clientId);
      if (!role) return undefined;
      return {
        name: role.subject,
        kind: role.kind,
        groups: role.groups,
        ...(role.owner === undefined ? {} : { owner: role.owner }),
      };
    },
  };
}

/** JWTs are not looked up again and nobody logs in here, so there is nothing to remember. */
class Forgetful {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

/** Loading the package prints advice for production, on versions of Node on which it works all the same. */
async function loadProvider(): Promise<typeof import('oidc-provider').default> {
  const warn = console.warn;
  console.warn = () => undefined;
  try {
    return (await import('oidc-provider')).default;
  } finally {
    console.warn = warn;
  }
}

async function requestToken(issuer: string, role: Role, secret: string): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${role.subject}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience }),
  });
  const body = (await answer.json()) as { access_token?: string; error?: string; error_description?: string };
  if (body.access_token === undefined) {
    throw new Error(`The identity provider gave no token for ${role.subject}: ${body.error_description ?? body.error}`);
  }
  return body.access_token;
}

/** The signing key stays the same over restarts, so that tokens handed out before stay good. */
async function keptKey(path: string): Promise<object> {
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as object;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' };
  await writeFile(path, JSON.stringify(key), { mode: 0o600 });
  return key;
}

/** So does the port, as it is part of every principal's id; unless someone else has taken it meanwhile. */
async function listenAsBefore(server: Server, path: string): Promise<number> {
  const before = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
  const port = Number.isInteger(before)
    ? await listenOnLoopback(server, before).catch(() => listenOnLoopback(server))
    : await listenOnLoopback(server);
  if (port !== before) await writeFile(path, `${port}\n`);
  return port;
}
