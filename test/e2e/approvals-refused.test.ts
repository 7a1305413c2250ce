// Consent that does not count, and consent that comes too late: nothing runs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelRequest, cstring, message, query, RawPostgres, shown, startup } from '../harness/raw-postgres.ts';
import { codeOf, createHeldGateway, detailOf, type HeldGateway, heldPolicies, people } from './held-gateway.ts';

let held: HeldGateway;
beforeAll(async () => {
  held = await createHeldGateway();
});
afterAll(() => held?.stop());

describe('consent does not count', () => {
  test('of the requester, its owner, an outsider', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'self' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    for (const claims of [people.agent, { ...people.agent, groups: ['dba'] }, people.owner, people.outsider]) {
      expect(await codeOf((await held.as(claims)).approve(request))).toMatch(/^(refused|not_found)$/);
    }
    expect(await (await held.as(people.dba)).accessRequest(request)).toMatchObject({ state: 'pending', approvals: [] });
    await (await held.as(people.dba)).deny(request);
    await client.until('Z');
    expect(await held.executed("'self'")).toEqual([]);
    client.end();
  });

  test('of one person for two groups', async () => {
    const client = await held.login();
    client.send(query("UPDATE pair.things SET name = 'pair' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    const both = await held.as(people.both);
    expect(await both.approve(request)).toMatchObject({ state: 'pending' });
    await codeOf(both.approve(request));
    expect(await both.accessRequest(request)).toMatchObject({ state: 'pending' });
    expect(await held.executed("'pair'")).toEqual([]);
    expect(await (await held.as(people.security)).approve(request)).toMatchObject({
      state: expect.stringMatching(/approved|used/),
    });
    expect((await client.until('Z')).map(shown)).toEqual(['C:UPDATE 1', 'Z:I']);
    client.end();
  });
});

describe('consent comes too late', () => {
  async function cancelled(request: string, marker: string): Promise<void> {
    const dba = await held.as(people.dba);
    await expect.poll(async () => (await dba.accessRequest(request)).state).toBe('cancelled');
    expect(await codeOf(dba.approve(request))).toBe('conflict');
    expect(await held.executed(marker)).toEqual([]);
  }

  test('the client is gone', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'gone' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    client.end();
    await cancelled(request, "'gone'");
  });

  test('the client gave up with Ctrl-C, and goes on', async () => {
    const client = await RawPostgres.open(held.gateway.host, held.gateway.port);
    client.send(startup({ user: 'anyone', database: 'shop' }));
    await client.until('R');
    client.send(message('p', cstring(await held.gateway.token(people.agent))));
    const key = (await client.until('Z')).find(({ type }) => type === 'K');
    client.send(query("UPDATE park.things SET name = 'given up' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    const other = await RawPostgres.open(held.gateway.host, held.gateway.port);
    other.send(cancelRequest(key?.body.readInt32BE(0) ?? 0, key?.body.subarray(4) ?? Buffer.alloc(4)));
    expect((await client.until('Z')).map(shown)).toEqual(['E:57014', 'Z:I']);
    client.send(query('SELECT 1'));
    expect((await client.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
    await cancelled(request, "'given up'");
    client.end();
  });

  test('the session was killed', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'killed' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    const agent = await held.as(people.agent);
    const [session] = (await agent.sessions({ live: true })).items;
    await agent.kill(session?.id ?? '');
    expect((await client.rest()).map(shown)).toEqual(['E:57P01']);
    await cancelled(request, "'killed'");
  });

  test('policy was tightened meanwhile', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'tightened' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    const forbid =
      '@id("freeze") @reason("Nothing changes today") forbid (principal, action in Action::"write", resource);';
    await held.gateway.setPolicies(`${heldPolicies}\n${forbid}`);
    await (await held.as(people.dba)).approve(request);
    const [error, ready] = await client.until('Z');
    expect([error, ready].map((each) => each && shown(each))).toEqual(['E:42501', 'Z:I']);
    expect(detailOf(error)).toMatchObject({ decision: 'deny', policies: ['freeze'] });
    await held.gateway.setPolicies(heldPolicies);
    expect(await held.executed("'tightened'")).toEqual([]);
    client.end();
  });

  test('policy asks for more people meanwhile', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'more' WHERE id = 1"));
    const { request } = detailOf((await client.until('N'))[0]);
    await held.gateway.setPolicies(
      heldPolicies.replace('@id("park") @approval("dba")', '@id("park") @approval("dba") @quorum("2")'),
    );
    await (await held.as(people.dba)).approve(request);
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    await held.gateway.setPolicies(heldPolicies);
    expect(await held.executed("'more'")).toEqual([]);
    client.end();
  });
});
