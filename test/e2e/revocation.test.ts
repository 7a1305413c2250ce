// Whatever takes a right away reaches sessions that are open: the client is told, the statement it waits for is ended at
// the server, the recording says why.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestGateway, permitAll, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const agent = { sub: 'agent', kind: 'agent', groups: ['agents'] } as const;
const operator = { sub: 'operator', groups: ['operators'] };
const sleeping = 'SELECT pg_sleep(600)';
/** The promise for every kind of revocation, in milliseconds. */
const bound = 5_000;
/** What nothing is promised of but that it comes to be, on a machine that does other things as well. */
const unhurried = { timeout: 20_000 };

let postgres: TestPostgres;
let gateway: TestGateway;

beforeAll(async () => {
  postgres = await createTestPostgres();
  gateway = await createTestGateway({ postgres });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});
beforeEach(async () => {
  const api = await gateway.apiAs(operator);
  await vi.waitUntil(async () => (await api.sessions({ live: true })).items.length === 0, { timeout: 20_000 });
});

async function asleep(): Promise<number> {
  const rows = await postgres.sql(`SELECT 1 FROM pg_stat_activity WHERE query = '${sleeping}' AND state = 'active'`);
  return rows.length;
}

/** Two sessions, one idle and one that waits for the server; `how` must end both within the bound. */
async function ends(
  login: () => Promise<Client>,
  how: () => Promise<unknown>,
  reason: string,
  text: RegExp,
  within = bound,
): Promise<void> {
  const [idle, busy] = [await login(), await login()];
  const told = new Promise((resolve) => idle.on('error', resolve));
  const answered = busy.query(sleeping).catch((error) => error);
  const api = await gateway.apiAs(operator);
  // A session is in the list a moment after its client is let in: a kill of all that are listed is to find both.
  await expect.poll(async () => (await api.sessions({ live: true })).items.length, unhurried).toBe(2);
  await expect.poll(asleep, unhurried).toBe(1);
  await how();
  const late = new Promise((resolve) => {
    setTimeout(() => resolve('not told in time'), within).unref();
  });
  for (const each of [told, answered]) {
    expect(await Promise.race([each, late])).toMatchObject({
      code: '57P01',
      severity: 'FATAL',
      message: expect.stringMatching(text),
    });
  }
  await expect.poll(asleep, { timeout: bound }).toBe(0);
  await expect
    .poll(async () => (await api.sessions({ limit: 2 })).items.map((session) => session.end_reason), unhurried)
    .toEqual([reason, reason]);
  for (const { id } of (await api.sessions({ limit: 2 })).items) {
    const path = (await sessionRecordings(gateway.dir)).find((each) => each.includes(id)) ?? '';
    await expect.poll(async () => (await recordedEvents(path)).at(-1)?.['type'], unhurried).toBe('seal');
    expect((await recordedEvents(path)).at(-2)).toMatchObject({ type: 'end', reason });
  }
}

function withToken(ttl = 3_600): Promise<Client> {
  return gateway.connect({ ...agent, ttl });
}

describe('a live session ends', { timeout: 60_000 }, () => {
  test('when an operator kills it', async () => {
    await ends(
      () => withToken(),
      async () => {
        const api = await gateway.apiAs(operator);
        for (const { id } of (await api.sessions({ live: true })).items) await api.kill(id);
      },
      'killed',
      /operator/,
    );
  });

  test('when its access credential is revoked', async () => {
    const owner = await gateway.apiAs(agent);
    const issued = await owner.issueAccessCredential({ target: 'shop' });
    const login = () => gateway.connect(agent, { user: issued.id, password: issued.secret });
    await ends(login, () => owner.revokeAccessCredential(issued.id), 'revoked', /credential/);
  });

  test('when policy no longer lets it connect', async () => {
    const forbid = '@id("out") forbid (principal in Group::"agents", action in Action::"connect", resource);';
    await ends(
      () => withToken(),
      () => gateway.setPolicies(`${permitAll}${forbid}`),
      'revoked',
      /[Pp]olicy/,
    );
    await expect(withToken()).rejects.toThrow();
    await gateway.setPolicies(permitAll);
  });

  test('when nothing permits it any more', async () => {
    await ends(
      () => withToken(),
      () => gateway.setPolicies('@id("ops") permit (principal in Group::"operators", action, resource);'),
      'revoked',
      /[Pp]olicy/,
    );
    await gateway.setPolicies(permitAll);
  });

  test('when the token it was opened with expires', async () => {
    // Clocks may differ by half a minute: this token is accepted, and for some seconds yet.
    await ends(
      () => withToken(-22),
      async () => {},
      'expired',
      /expired/,
      8_000 + bound,
    );
  });
});

test('a broken policy file ends nobody', async () => {
  const client = await withToken();
  await writeFile(join(gateway.dir, 'policies', 'test.cedar'), 'permit (');
  const api = await gateway.apiAs(operator);
  await expect.poll(async () => (await api.policies()).problems?.length ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await client.end();
  await writeFile(join(gateway.dir, 'policies', 'test.cedar'), permitAll);
  await expect.poll(async () => (await api.policies()).problems?.length ?? 0, { timeout: 20_000 }).toBe(0);
});
