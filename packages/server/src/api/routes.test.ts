import { ApiClient } from '@sluice/api/client.ts';
import type { ClientAccess } from '@sluice/core/contract/connector.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from './app.ts';
import { botsObjects } from './testing/bots-objects.ts';
import { accessRequest, type Person, people, type TestServices, testServices, tokenOf } from './testing/services.ts';

let services: TestServices;
let app: FastifyInstance;
let base: string;

beforeEach(async () => {
  services = testServices();
  botsObjects(services);
  app = await createApi(services, { version: '0.1.0' });
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

function as(person: Person): ApiClient {
  return new ApiClient({ base, token: tokenOf(person) });
}

async function errorOf(promise: Promise<unknown>): Promise<{ code: string; status: number; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; status: number; message: string };
  }
  throw new Error('expected a refusal');
}

describe('access credentials', () => {
  it('are issued to oneself, listed without the secret and revoked', async () => {
    const issued = await as('dana').issueAccessCredential({ target: 'shop', ttl: '5m', uses: 2 });
    expect(issued.secret).toBe(`secret-of-${issued.id}`);
    const listed = await as('dana').accessCredentials();
    expect(listed.items).toMatchObject([{ id: issued.id, target: 'shop', uses_left: 2 }]);
    expect(JSON.stringify(listed)).not.toContain('secret');
    await as('dana').revokeAccessCredential(issued.id);
    expect(services.credentialRows.get(issued.id)?.revokedAt).toBeGreaterThan(0);
  });

  it('of others are revoked with gateway:manage only', async () => {
    expect(await errorOf(as('dana').revokeAccessCredential('sac_bot'))).toMatchObject({ status: 404 });
    expect(await as('alex').revokeAccessCredential('sac_bot')).toEqual({ id: 'sac_bot', revoked: true });
  });

  it('are not issued for an unknown target', async () => {
    const error = await errorOf(as('dana').issueAccessCredential({ target: 'elsewhere' }));
    expect(error).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('certificates', () => {
  const certify: ClientAccess['certify'] = ({ credential, target, publicKey, expiresAt }) => {
    if (!publicKey.startsWith('key ')) throw new CoreError('client_protocol', 'client', 'That is no key.');
    return { certificate: [credential, target, publicKey, expiresAt].join(' '), gatewayKeys: ['gateway key'] };
  };

  it('come with an access credential where the protocol has them, and die with it', async () => {
    services.ledgerAccess = { clientAccess: { certify } };
    const issued = await as('dana').issueAccessCredential({ target: 'ledger', public_key: 'key of dana' });
    const until = Date.parse(issued.expires_at);
    expect(issued.certificate).toBe(`${issued.id} ledger key of dana ${until}`);
    expect(issued.gateway_keys).toEqual(['gateway key']);
    const plain = await as('dana').issueAccessCredential({ target: 'ledger' });
    expect(Object.keys(plain).sort()).toEqual(['expires_at', 'id', 'secret', 'target']);
  });

  it('are refused, before anything is issued, where it has none', async () => {
    const before = services.credentialRows.size;
    const error = await errorOf(as('dana').issueAccessCredential({ target: 'shop', public_key: 'key of dana' }));
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining("can't use a certificate") });
    expect(services.credentialRows.size).toBe(before);
    services.ledgerAccess = { clientAccess: { certify } };
    expect(
      await errorOf(as('stranger').issueAccessCredential({ target: 'ledger', public_key: 'key of nobody' })),
    ).toMatchObject({ status: 404 });
    expect(services.credentialRows.size).toBe(before);
  });

  it('that can’t be made leave no access credential behind', async () => {
    services.ledgerAccess = { clientAccess: { certify } };
    const error = await errorOf(as('dana').issueAccessCredential({ target: 'ledger', public_key: 'nonsense' }));
    expect(error).toMatchObject({ status: 400, code: 'bad_request', message: 'That is no key.' });
    const [last] = [...services.credentialRows.values()].slice(-1);
    expect(last).toMatchObject({ target: 'ledger', revokedAt: expect.any(Number) });
  });

  it('are announced with the target, and so is where it is reached', async () => {
    services.ledgerAccess = { clientAccess: { certify } };
    const { items } = await as('dana').targets();
    expect(items).toEqual([
      {
        name: 'shop',
        connector: 'postgres',
        tags: ['env=test'],
        accepts: ['secret'],
        address: { host: '127.0.0.1', port: 6432 },
      },
      { name: 'ledger', connector: 'postgres', tags: [], accepts: ['secret', 'certificate'] },
    ]);
    expect((await as('stranger').targets()).items).toEqual([]);
  });
});

describe('access requests', () => {
  it('show the reviewer all of what will run', async () => {
    const text = `UPDATE t SET a = '\u202e\u001b[2J${'x'.repeat(100_000)}'`;
    services.requestRows.set(
      'req_long',
      accessRequest('req_long', {
        actions: [{ verb: 'sql:update', access: 'write', resources: ['shop/public/t'], text }],
        parameters: ['1', null],
      }),
    );
    const request = await as('alex').accessRequest('req_long');
    expect(request.actions[0]?.text).toBe(text);
    expect(request.parameters).toEqual(['1', null]);
    expect(request).toMatchObject({
      may_review: true,
      run: { intent: 'fix a typo' },
      binding: { search_path: 'public' },
    });
  });

  it('are approved by a reviewer, once', async () => {
    const approved = await as('alex').approve('req_bot', 'fine');
    expect(approved).toMatchObject({ state: 'approved', may_review: false });
    expect(approved.approvals).toMatchObject([{ reviewer: { id: people.alex.id }, comment: 'fine' }]);
    expect(await errorOf(as('alex').deny('req_bot'))).toMatchObject({ status: 409, code: 'conflict' });
  });

  it('are denied with a comment', async () => {
    expect(await as('alex').deny('req_bot', 'not today')).toMatchObject({ state: 'denied' });
  });

  it('take no body at all for an answer', async () => {
    const response = await fetch(`${base}/api/v1/access-requests/req_bot/approve`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf('alex')}` },
    });
    expect(response.status).toBe(200);
  });

  it('are seen by their requester, who cannot answer them', async () => {
    expect(await as('bot').accessRequest('req_bot')).toMatchObject({ may_review: false });
    expect(await errorOf(as('bot').approve('req_bot'))).toMatchObject({ status: 403, code: 'refused' });
  });

  it('of an agent are hidden from its owner where no policy names the owner', async () => {
    expect(await errorOf(as('dana').approve('req_bot'))).toMatchObject({ status: 404 });
  });

  it('are taken back while the grant is unused', async () => {
    expect(await errorOf(as('alex').revokeGrant('req_bot'))).toMatchObject({ status: 409, code: 'conflict' });
    await as('alex').approve('req_bot');
    expect(await as('bot').revokeGrant('req_bot')).toMatchObject({ state: 'revoked' });
  });

  it('are listed newest first, in pages without gap or repeat', async () => {
    services.requestRows.clear();
    for (let i = 0; i < 130; i++) {
      // Pairs share a millisecond, and every third belongs to someone whom the reviewer may not see.
      const change = i % 3 === 0 ? { target: 'elsewhere', consents: [] } : {};
      services.requestRows.set(
        `req_${i}`,
        accessRequest(`req_${i}`, { createdAt: 1_000 + Math.floor(i / 2), ...change }),
      );
    }
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await as('alex').accessRequests({ limit: 7, before });
      seen.push(...page.items.map((item) => item.id));
      before = page.next;
    } while (before !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(86);
  });

  it('are filtered by state and target', async () => {
    services.requestRows.set('req_old', accessRequest('req_old', { state: 'expired' }));
    expect((await as('alex').accessRequests({ state: 'expired' })).items.map((item) => item.id)).toEqual(['req_old']);
    expect((await as('alex').accessRequests({ target: 'ledger' })).items).toEqual([]);
    const response = await fetch(`${base}/api/v1/access-requests?state=sideways`, {
      headers: { authorization: `Bearer ${tokenOf('alex')}` },
    });
    expect(response.status).toBe(400);
  });
});

describe('sessions', () => {
  it('are seen by their principal and by gateway:view', async () => {
    expect(await as('bot').session('ses_bot')).toMatchObject({ id: 'ses_bot', live: true, target: 'shop' });
    expect(await as('alex').session('ses_bot')).toMatchObject({ principal: { id: people.bot.id } });
    expect(await errorOf(as('dana').session('ses_bot'))).toMatchObject({ status: 404 });
    expect((await as('dana').sessions()).items).toEqual([]);
    expect((await as('alex').sessions({ live: true })).items).toHaveLength(1);
  });

  it('give their events as pages and as JSON Lines', async () => {
    const first = await as('alex').sessionEvents('ses_bot', { limit: 2 });
    expect(first).toEqual({ items: [{ type: 'action', unit: 0 }, { type: 'shape' }], next: '2' });
    expect(await as('alex').sessionEvents('ses_bot', { after: '2' })).toEqual({ items: [{ type: 'end' }] });
    const streamed: unknown[] = [];
    for await (const event of as('alex').streamSessionEvents('ses_bot')) streamed.push(event);
    expect(streamed).toEqual(services.eventRows.get('ses_bot'));
  });

  it('give their recording byte for byte, and say who read it', async () => {
    const parts: Uint8Array[] = [];
    for await (const part of await as('alex').recording('ses_bot')) parts.push(part);
    expect(Buffer.concat(parts)).toEqual(Buffer.from(services.recordingBytes.get('ses_bot') ?? []));
    expect(services.audited).toContainEqual({
      name: 'recording.read',
      session: 'ses_bot',
      by: people.alex.id,
    });
  });

  it('break the connection when a recording breaks off', async () => {
    services.recordings.open = async () =>
      (async function* () {
        yield new Uint8Array(10);
        throw new Error('disk gone');
      })();
    const read = async () => {
      for await (const _ of await as('alex').recording('ses_bot'));
    };
    expect(await errorOf(read())).toMatchObject({ code: 'unreachable' });
  });

  it('are killed by their principal or gateway:manage, while they live', async () => {
    expect(await errorOf(as('dana').kill('ses_bot'))).toMatchObject({ status: 404 });
    expect(await as('alex').kill('ses_bot')).toEqual({ id: 'ses_bot', killed: true });
    expect(await errorOf(as('bot').kill('ses_bot'))).toMatchObject({ status: 409, code: 'conflict' });
  });

  it('refused to someone are audited', async () => {
    await errorOf(as('dana').kill('ses_bot'));
    expect(services.audited).toContainEqual({
      name: 'api.refused',
      principal: people.dana.id,
      method: 'POST',
      route: '/api/v1/sessions/{id}/kill',
      target: 'shop',
    });
  });
});

describe('policies', () => {
  it('show files and problems to gateway:view only', async () => {
    expect(await as('bot').policies()).toEqual({ hash: 'a'.repeat(64), epoch: 3 });
    expect(await as('alex').policies()).toMatchObject({ files: ['policies/agents.cedar'], problems: [{ line: 4 }] });
  });

  it('are tried without running anything', async () => {
    const result = await as('bot').dryRun({ target: 'shop', statement: 'update customers set a = 1' });
    expect(result.decision).toMatchObject({
      effect: 'hold',
      hold: { consents: [{ group: 'dba' }], grant_ttl_ms: 600_000 },
    });
    expect(result.actions).toMatchObject([{ verb: 'sql:update', explanation: { determining: ['writes-need-a-dba'] } }]);
  });

  it('are tried for another principal with gateway:manage only', async () => {
    const body = {
      target: 'shop',
      statement: 'select 1',
      principal: { kind: 'agent' as const, id: 'x#y', groups: [] },
    };
    expect(await errorOf(as('dana').dryRun(body))).toMatchObject({ status: 403, code: 'refused' });
    expect(await as('alex').dryRun(body)).toMatchObject({ principal: { id: 'x#y' }, decision: { effect: 'hold' } });
  });

  it('say what is wrong with a statement', async () => {
    const error = await errorOf(as('bot').dryRun({ target: 'shop', statement: 'garbage' }));
    expect(error).toMatchObject({ status: 400, message: 'syntax error at "garbage"' });
  });
});

describe('the gateway', () => {
  it('tells alive from ready', async () => {
    expect(await new ApiClient({ base }).health()).toMatchObject({ ready: true, checks: { store: 'ok' } });
    services.ready = false;
    services.later = 1000;
    expect((await fetch(`${base}/api/v1/health`)).status).toBe(503);
    expect((await fetch(`${base}/api/v1/health?probe=live`)).status).toBe(200);
    expect(await new ApiClient({ base }).health()).toMatchObject({ ready: false, checks: { store: 'failing' } });
  });

  it('lists targets that one may connect to, and keys of seals', async () => {
    expect((await as('bot').targets()).items.map((target) => target.name)).toEqual(['shop', 'ledger']);
    expect((await as('stranger').targets()).items).toEqual([]);
    expect((await as('bot').keys()).items).toMatchObject([{ key_id: '0011223344556677', algorithm: 'Ed25519' }]);
  });

  it('describes itself', async () => {
    const document = await new ApiClient({ base }).openapi();
    expect(document['openapi']).toBe('3.1.0');
    expect(Object.keys(document['paths'] as object)).toContain('/api/v1/access-requests/{id}/approve');
  });
});
