// The HTTP API and the command in front of a real gateway: real policies, tokens, sessions and recordings.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@sluice/api/client.ts';
import { type Result, runCommand } from '@sluice/cli/testing/command.ts';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import type { TestClaims } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const policies = `
@id("use")
permit (principal, action in [Action::"connect", Action::"read"], resource)
  when { principal in [Group::"agents", Group::"dba"] };
@id("agents-write") @approval("dba") @reason("Changes by agents are approved by a DBA")
permit (principal in Group::"agents", action in Action::"write", resource);
@id("dba-watches")
permit (principal in Group::"dba", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;

const agent: TestClaims = { sub: 'bot', kind: 'agent', groups: ['agents'] };
const dba: TestClaims = { sub: 'alex', groups: ['dba'] };
const stranger: TestClaims = { sub: 'nobody', groups: [] };

// Processes of their own take their time on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

let postgres: TestPostgres;
let gateway: TestGateway;
let dir: string;
let asAgent: ApiClient;
let asDba: ApiClient;
let asStranger: ApiClient;

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: "CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things VALUES (1, 'one'), (2, 'two')",
  });
  gateway = await createTestGateway({ postgres, policies });
  dir = await mkdtemp(join(tmpdir(), 'sluice-e2e-api-'));
  asAgent = await gateway.apiAs(agent);
  asDba = await gateway.apiAs(dba);
  asStranger = await gateway.apiAs(stranger);
});

afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function sluice(claims: TestClaims, ...args: string[]): Promise<Result> {
  const env = { SLUICE_API: gateway.api, SLUICE_TOKEN: await gateway.token(claims) };
  return runCommand(args, { cwd: dir, env });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );
}

/** The session that the principal has open right now. */
async function liveSession(): Promise<string> {
  const { items } = await asAgent.sessions({ live: true });
  return items[0]?.id ?? '';
}

describe('principals and targets', () => {
  test('are what token and policy say', async () => {
    expect(await asAgent.whoami()).toMatchObject({ kind: 'agent', subject: 'bot', groups: ['agents'] });
    expect((await asAgent.targets()).items.map(({ name }) => name)).toEqual(['shop']);
    expect((await asStranger.targets()).items).toEqual([]);
    expect(await codeOf(asStranger.issueAccessCredential({ target: 'shop' }))).toBe('not_found');
    expect(await codeOf(asAgent.issueAccessCredential({ target: 'elsewhere' }))).toBe('not_found');
  });
});

describe('access credentials', () => {
  test('let their holder in until they are revoked, which ends the session', async () => {
    const issued = JSON.parse((await sluice(agent, 'access', 'shop', '--ttl', '5m', '--json')).stdout);
    const client = await gateway.connect(agent, { user: issued.id, password: issued.secret });
    const gone = new Promise<void>((resolve) => client.on('end', () => resolve()));
    expect((await client.query('SELECT name FROM things WHERE id = 1')).rows).toEqual([{ name: 'one' }]);
    expect(await codeOf(asStranger.revokeAccessCredential(issued.id))).toBe('not_found');
    await asDba.revokeAccessCredential(issued.id);
    await gone;
    const again = new Client({
      host: gateway.host,
      port: gateway.port,
      database: 'shop',
      user: issued.id,
      password: issued.secret,
    });
    again.on('error', () => {});
    await expect(again.connect()).rejects.toThrow();
  });
});

describe('a session', () => {
  test('is seen, read and killed by those who may', async () => {
    const client = await gateway.connect(agent);
    const gone = new Promise<void>((resolve) => client.on('end', () => resolve()));
    await client.query('SELECT id, name FROM things ORDER BY id');
    const id = await liveSession();
    expect((await asDba.sessions({ live: true })).items.map((session) => session.id)).toContain(id);
    expect((await asStranger.sessions()).items).toEqual([]);
    for (const foreign of [
      asStranger.session(id),
      asStranger.sessionEvents(id),
      asStranger.recording(id),
      asStranger.kill(id),
    ]) {
      expect(await codeOf(foreign)).toBe('not_found');
    }
    expect(await asDba.kill(id)).toEqual({ id, killed: true });
    await gone;
    expect(await codeOf(asDba.kill(id))).toBe('conflict');

    const replayed = await sluice(dba, 'sessions', 'replay', id);
    expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
    expect(replayed.stdout).toContain('SELECT id, name FROM things ORDER BY id');
    const file = join(dir, `${id}.sluice`);
    expect((await sluice(dba, 'sessions', 'export', id, '--format', 'recording', '-o', file)).code).toBe(0);
    // The keys as the API gives them, so that nothing on the gateway's disk is needed.
    const { items } = await asAgent.keys();
    const keys = items.map(({ key_id, algorithm, public_key }) => ({
      keyId: key_id,
      algorithm,
      publicKey: public_key,
    }));
    await writeFile(join(dir, 'keys.json'), JSON.stringify({ keys }));
    const verified = await sluice(dba, 'audit', 'verify', file, '--keys', join(dir, 'keys.json'), '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, files: [{ session: id, endReason: 'killed' }] });
  });
});

describe('a held statement', () => {
  test('is shown whole, approved by a DBA on the command line, and runs', async () => {
    const client = await gateway.connect(agent);
    const update = "UPDATE things SET name = 'uno' WHERE id = 1";
    const waiting = client.query(update);
    const pending = async () => (await asDba.accessRequests({ state: 'pending' })).items;
    await expect.poll(async () => (await pending()).length).toBe(1);
    const [request] = await pending();
    expect(request).toMatchObject({ target: 'shop', may_review: true, consents: [{ group: 'dba' }] });
    expect(request?.actions.map((action) => action.text)).toContain(update);
    const id = request?.id ?? '';
    expect(await codeOf(asStranger.approve(id))).toBe('not_found');
    expect(await codeOf(asAgent.approve(id))).toBe('refused');
    expect((await sluice(dba, 'requests', 'show', id)).stdout).toContain(update);
    expect((await sluice(agent, 'requests', 'approve', id)).code).toBe(4);
    expect(await sluice(dba, 'requests', 'approve', id)).toMatchObject({ code: 0, stdout: `${id} approved\n` });
    expect((await waiting).rowCount).toBe(1);
    expect((await asDba.accessRequest(id)).state).toBe('used');
    expect((await sluice(dba, 'requests', 'approve', id)).code).toBe(7);
    await client.end();
  });
});

describe('policies', () => {
  test('explain what they would decide, about oneself and, with gateway:manage, about others', async () => {
    const own = await asAgent.dryRun({ target: 'shop', statement: 'DELETE FROM things WHERE id = 2' });
    expect(own.decision).toMatchObject({ effect: 'hold', policies: ['agents-write'] });
    const other = { kind: 'user' as const, id: 'x#y', groups: [] };
    expect(await codeOf(asAgent.dryRun({ target: 'shop', statement: 'SELECT 1', principal: other }))).toBe('refused');
    const supposed = await asDba.dryRun({ target: 'shop', statement: 'SELECT * FROM things', principal: other });
    expect(supposed.decision.effect).toBe('deny');
    const text = await sluice(agent, 'policy', 'explain', 'shop', 'DELETE FROM things WHERE id = 2');
    expect(text.stdout).toMatch(/^decision +hold\n/);
    expect(await codeOf(asAgent.dryRun({ target: 'shop', statement: 'SELEKT 1' }))).toBe('bad_request');
  });
});
