import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roleNames } from './cast.ts';
import { startIdentityProvider } from './identity-provider.ts';

describe('the demo identity provider', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-demo-idp-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('issues JWTs that verify against the keys found by discovery', async () => {
    const provider = await startIdentityProvider({ dir });
    const discovery = (await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json()) as {
      issuer: string;
      jwks_uri: string;
    };
    expect(discovery.issuer).toBe(provider.issuer);
    const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
    const claims = Object.fromEntries(
      await Promise.all(
        roleNames.map(async (role) => {
          const { payload, protectedHeader } = await jwtVerify(await provider.token(role), keys, {
            issuer: provider.issuer,
            audience: provider.audience,
            algorithms: ['ES256'],
          });
          expect(protectedHeader.typ).toBe('at+jwt');
          expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 60 * 60);
          return [
            role,
            { sub: payload.sub, kind: payload['kind'], groups: payload['groups'], owner: payload['owner'] },
          ];
        }),
      ),
    );
    expect(claims).toEqual({
      agent: { sub: 'support-agent', kind: 'agent', groups: ['react-agents'], owner: 'dana' },
      engineer: { sub: 'dana', kind: 'user', groups: ['engineers'], owner: undefined },
      dba: { sub: 'alex', kind: 'user', groups: ['dba', 'on-call'], owner: undefined },
    });
    await provider.stop();
  });

  it('is the same issuer with the same key after a restart', async () => {
    const first = await startIdentityProvider({ dir });
    const token = await first.token('dba');
    await first.stop();
    const second = await startIdentityProvider({ dir });
    expect(second.issuer).toBe(first.issuer);
    await jwtVerify(token, createRemoteJWKSet(new URL(`${second.issuer}/jwks`)), { issuer: second.issuer });
    await second.stop();
  });

  it('keeps its key from other accounts', async () => {
    const provider = await startIdentityProvider({ dir });
    await provider.stop();
    expect((await stat(join(dir, 'signing-key.json'))).mode & 0o077).toBe(0);
  });

  it('gives nothing without the secret', async () => {
    const provider = await startIdentityProvider({ dir });
    const answer = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('alex:guess')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(answer.status).toBe(401);
    await provider.stop();
  });

  it('prints nothing, so that the output of a script stays one line', () => {
    const module = fileURLToPath(new URL('./identity-provider.ts', import.meta.url));
    const script = `
      import { startIdentityProvider } from ${JSON.stringify(module)};
      const provider = await startIdentityProvider({ dir: ${JSON.stringify(dir)} });
      await provider.token('agent');
      await provider.stop();`;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect({ out: child.stdout, err: child.stderr, code: child.status }).toEqual({ out: '', err: '', code: 0 });
  });
});
