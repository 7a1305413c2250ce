// Held statements: how the client hears of it, who may consent, and what consent makes happen: this, once, and nothing else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawMessage, RawPostgres } from '../harness/raw-postgres.ts';
import { bind, close, execute, fieldsOf, flush, parse, query, shown, sync } from '../harness/raw-postgres.ts';
import { codeOf, createHeldGateway, detailOf, type HeldGateway, people } from './held-gateway.ts';

let held: HeldGateway;
beforeAll(async () => {
  held = await createHeldGateway();
});
afterAll(() => held?.stop());

async function nameOf(schema: string, id: number): Promise<string | undefined> {
  return (await held.postgres.sql<{ name: string }>(`SELECT name FROM ${schema}.things WHERE id = ${id}`))[0]?.name;
}

describe('parked', () => {
  test('the client is told first, waits, and gets its answer once a DBA consents', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'new' WHERE id = 1"));
    const [notice] = await client.until('N');
    const { decision, request, url } = detailOf(notice);
    expect(decision).toBe('hold');
    expect(fieldsOf(notice as RawMessage)).toMatchObject({ S: 'NOTICE', M: expect.stringContaining(request) });
    const seen = await fetch(url, { headers: { authorization: `Bearer ${await held.gateway.token(people.dba)}` } });
    expect(await seen.json()).toMatchObject({ id: request, state: 'pending', session: expect.stringMatching(/^ses/) });
    expect(await held.executed("'new'")).toEqual([]);
    await (await held.as(people.dba)).approve(request);
    expect((await client.until('Z')).map(shown)).toEqual(['C:UPDATE 1', 'Z:I']);
    expect(await nameOf('park', 1)).toBe('new');
    client.end();
  });

  test('a refusal brings the words of who refused', async () => {
    const client = await held.login();
    client.send(query("UPDATE park.things SET name = 'never' WHERE id = 2"));
    const { request } = detailOf((await client.until('N'))[0]);
    await (await held.as(people.dba)).deny(request, 'not on a Friday');
    const [error, ready] = await client.until('Z');
    expect([error, ready].map((message) => message && shown(message))).toEqual(['E:42501', 'Z:I']);
    expect(fieldsOf(error as RawMessage)['M']).toMatch(/denied by alex.*not on a Friday/);
    expect(detailOf(error)).toMatchObject({ decision: 'deny', request });
    expect(await held.executed("'never'")).toEqual([]);
    client.end();
  });

  test('nobody answers in time', async () => {
    const client = await held.login();
    client.send(query("UPDATE hurried.things SET name = 'late' WHERE id = 1"), query('SELECT 1'));
    const seen = await client.until('E');
    expect(seen.map(shown)).toEqual(['N', 'E:42501']);
    const { request } = detailOf(seen[1]);
    expect((await client.until('D')).map(shown)).toEqual(['Z:I', 'T', 'D']);
    expect(await codeOf((await held.as(people.dba)).approve(request))).toBe('conflict');
    expect(await held.executed("'late'")).toEqual([]);
    client.end();
  });

  test('a transaction that waits keeps its place, and a refusal aborts it', async () => {
    const client = await held.login();
    client.send(query('BEGIN'), query("UPDATE park.things SET name = 'a' WHERE id = 3"), query('COMMIT'));
    expect((await client.until('N')).map(shown)).toEqual(['C:BEGIN', 'Z:T', 'N']);
    const { id } = await held.pending();
    await (await held.as(people.dba)).deny(id);
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:E']);
    expect((await client.until('Z')).map(shown)).toEqual(['C:ROLLBACK', 'Z:I']);
    client.end();
  });

  test('to connect at all', async () => {
    const login = held.login(people.visitor);
    const { id, unit } = await held.pending();
    expect(unit).toBe('connect');
    await (await held.as(people.dba)).approve(id);
    const client = await login;
    client.send(query('SELECT id FROM park.things WHERE id = 1'));
    expect((await client.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
    client.end();
  });
});

describe('told to come back', () => {
  test.each(['resend', 'usual'])(
    '(%s) the identical statement runs once after consent, and is then held again',
    async (schema) => {
      const client = await held.login();
      const update = query(`UPDATE ${schema}.things SET name = name || '+' WHERE id = 1`);
      const ask = async (): Promise<RawMessage[]> => {
        client.send(update);
        return client.until('Z');
      };
      const first = await ask();
      expect(first.map(shown)).toEqual([...(schema === 'usual' ? ['N'] : []), 'E:42501', 'Z:I']);
      const error = first.find(({ type }) => type === 'E');
      const { decision, request, url, policies } = detailOf(error);
      expect({ decision, policies }).toEqual({ decision: 'hold', policies: [schema] });
      expect(url).toBe(`${held.gateway.api}/api/v1/access-requests/${request}`);
      expect(fieldsOf(error as RawMessage)['H']).toContain('exactly the same');
      if (schema === 'resend') expect(detailOf((await ask())[0]).request).toBe(request);
      await (await held.as(people.dba)).approve(request);
      expect((await ask()).map(shown)).toEqual(['C:UPDATE 1', 'Z:I']);
      const again = (await ask()).find(({ type }) => type === 'E');
      expect(detailOf(again)).toMatchObject({ decision: 'hold' });
      expect(detailOf(again).request).not.toBe(request);
      expect(await nameOf(schema, 1)).toBe('old+');
      await (await held.as(people.dba)).deny(detailOf(again).request);
      client.end();
    },
  );

  test('an approval that was taken back is none', async () => {
    const client = await held.login();
    const update = query("UPDATE resend.things SET name = 'revoked' WHERE id = 2");
    client.send(update);
    const { request } = detailOf((await client.until('Z'))[0]);
    const dba = await held.as(people.dba);
    await dba.approve(request);
    await dba.revokeGrant(request);
    client.send(update);
    const [error] = await client.until('Z');
    expect(detailOf(error)).toMatchObject({ decision: 'hold' });
    expect(detailOf(error).request).not.toBe(request);
    await dba.deny(detailOf(error).request);
    expect(await held.executed("'revoked'")).toEqual([]);
    client.end();
  });
});

describe('what was approved is not what runs', () => {
  const text = 'UPDATE resend.things SET name = $1 WHERE id = 5';
  const run = (client: RawPostgres, name: string, ...values: string[]): void =>
    client.send(bind('', name, values), execute(''), sync);

  /** Has one statement approved, then does something and sends another: that is held anew, and neither has run. */
  async function approvedThen(between: (client: RawPostgres) => unknown): Promise<void> {
    const client = await held.login();
    const dba = await held.as(people.dba);
    client.send(parse('s', text));
    run(client, 's', 'approved');
    const [, error] = await client.until('Z');
    const { request } = detailOf(error);
    await dba.approve(request);
    await between(client);
    const seen = await client.until('Z');
    const second = detailOf(seen.find(({ type }) => type === 'E'));
    expect(second).toMatchObject({ decision: 'hold' });
    expect(second.request).not.toBe(request);
    await dba.deny(second.request);
    await dba.revokeGrant(request);
    client.end();
    expect(await held.executed('UPDATE resend.things SET name = $1')).toEqual([]);
    expect(await nameOf('resend', 5)).toBe('old');
  }

  async function settle(client: RawPostgres, sql: string): Promise<void> {
    client.send(query(sql));
    expect((await client.until('Z')).map(({ type }) => type)).toContain('C');
  }

  test('another value', async () => {
    await approvedThen((client) => run(client, 's', 'other'));
  });

  test('another search_path', async () => {
    await approvedThen(async (client) => {
      await settle(client, 'SET search_path = park, public');
      run(client, 's', 'approved');
    });
  });

  test('another role', async () => {
    await held.postgres.sql(
      'CREATE ROLE other; GRANT ALL ON SCHEMA resend TO other; GRANT ALL ON resend.things TO other',
    );
    await approvedThen(async (client) => {
      await settle(client, 'SET ROLE other');
      run(client, 's', 'approved');
    });
  });

  test('another statement under the same name', async () => {
    await approvedThen((client) => {
      client.send(close('S', 's'), parse('s', `${text} OR true`), flush);
      run(client, 's', 'approved');
    });
  });

  test('another table behind the same view', async () => {
    await held.postgres.sql('CREATE VIEW resend.v AS SELECT * FROM resend.things WHERE id = 7');
    const client = await held.login();
    const dba = await held.as(people.dba);
    const update = query("UPDATE resend.v SET name = 'by view'");
    client.send(update);
    const { request } = detailOf((await client.until('Z'))[0]);
    await dba.approve(request);
    await held.postgres.sql('CREATE OR REPLACE VIEW resend.v AS SELECT * FROM resend.things WHERE id > 0');
    client.send(update);
    const second = detailOf((await client.until('Z'))[0]);
    expect(second).toMatchObject({ decision: 'hold' });
    expect(second.request).not.toBe(request);
    await dba.deny(second.request);
    expect(await held.executed("'by view'")).toEqual([]);
    client.end();
  });

  test('and the very same still runs, under any name', async () => {
    const client = await held.login();
    client.send(parse('s', text));
    run(client, 's', 'really');
    const { request } = detailOf((await client.until('Z'))[1]);
    await (await held.as(people.dba)).approve(request);
    client.send(parse('t', text));
    run(client, 't', 'really');
    expect((await client.until('Z')).map(shown)).toEqual(['1', '2', 'C:UPDATE 1', 'Z:I']);
    expect(await nameOf('resend', 5)).toBe('really');
    client.end();
  });
});
