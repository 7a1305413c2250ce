// The rest of a result, by the official clients and with a real database: every row once, masked on every page, decided
// anew each time, and gone when it should be.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import {
  type Answer,
  createFrontGateway,
  type FrontClient,
  type FrontGateway,
  generations,
  people,
  policies,
} from './mcp-front-gateway.ts';

let front: FrontGateway;
let client: FrontClient;
beforeAll(async () => {
  front = await createFrontGateway();
  client = await front.as(people.agent);
});
afterAll(() => front?.stop());

const sql = 'SELECT id, email FROM app.people ORDER BY id';
const ask = (more: Record<string, unknown> = {}, who = client) =>
  who.call('query', { target: 'shop', sql, max_rows: 100, ...more });
const goOn = (answer: Answer, more: Record<string, unknown> = {}, who = client) =>
  who.call('query', { target: 'shop', cursor: answer.result['cursor'], max_rows: 100, ...more });
const ids = ({ result }: Answer) => (result['rows'] as [number, string][]).map(([id]) => id);
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const gone = { isError: true, status: 'failed', code: 'cursor_gone' };
const openTransactions = async (text = sql) => {
  const rows = await front.postgres.sql(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE xact_start IS NOT NULL AND query = '${text}'`,
  );
  return rows[0]?.['n'];
};

describe.each(generations)('the %s client', (generation) => {
  test('gets every row once, and none of them unmasked', async () => {
    const who = await front.as({ ...people.agent, sub: `pager-${generation}` }, generation);
    const seen: number[] = [];
    let answer = await ask({ max_rows: 120 }, who);
    for (let pages = 1; ; pages++) {
      expect(answer).toMatchObject({ status: 'done' });
      expect(answer.result['columns']).toEqual([
        { name: 'id', type: 'int4' },
        { name: 'email', type: 'text', masked: ['pii.email'] },
      ]);
      expect(JSON.stringify(answer.result)).not.toMatch(/mail\d+@example/);
      seen.push(...ids(answer));
      expect(answer.result['rows_so_far']).toBe(seen.length);
      if (answer.result['cursor'] === undefined) break;
      expect(answer.result).toMatchObject({ truncated: true, truncated_by: 'max_rows' });
      answer = await goOn(answer, { max_rows: 60 + pages }, who);
    }
    expect(answer.result).toMatchObject({ truncated: false });
    expect(seen).toEqual(upTo(1, 500));
    await expect.poll(() => openTransactions()).toBe(0);
  });
});

describe('a cursor', () => {
  test('gives an empty last page where the rows end with the one before', async () => {
    const first = await ask({ sql: 'SELECT id, email FROM app.people WHERE id <= 4', max_rows: 4 });
    const last = await goOn(first);
    expect(last.result).toMatchObject({ rows: [], rows_so_far: 4, truncated: false });
    expect(last.result['columns']).toEqual(first.result['columns']);
    expect(last.result).not.toHaveProperty('cursor');
  });

  test('is not there where everything was given, or where the rest can not be had', async () => {
    for (const more of [
      { sql: 'SELECT 1' },
      { sql: "SELECT repeat('x', 100000) FROM generate_series(1, 50)" },
      { sql: 'SELECT id FROM app.logs' },
      { sql: 'UPDATE app.people SET active = active RETURNING id' },
      { sql: 'WITH done AS (UPDATE app.people SET active = active RETURNING id) SELECT id FROM done' },
      { sql: "SELECT nextval('app.scratch_id_seq') FROM generate_series(1, 300)" },
      { sql: 'SELECT pg_advisory_xact_lock(n) FROM generate_series(1, 300) n' },
      { sql: 'SELECT id FROM app.people FOR UPDATE' },
      { sql: 'SELECT id FROM app.people FOR KEY SHARE' },
    ]) {
      expect((await ask(more)).result ?? {}, more.sql).not.toHaveProperty('cursor');
    }
    expect(await openTransactions()).toBe(0);
  });

  test('sees the database as its statement did', async () => {
    const notes = 'SELECT note FROM app.scratch ORDER BY id';
    await client.call('query', {
      target: 'shop',
      sql: 'INSERT INTO app.scratch (note) SELECT n::text FROM generate_series(1, 6) n',
    });
    const first = await ask({ sql: notes, max_rows: 3 });
    await front.postgres.sql("UPDATE app.scratch SET note = 'changed'");
    expect((await goOn(first)).result['rows']).toEqual([['4'], ['5'], ['6']]);
  });

  test('is good once', async () => {
    const first = await ask();
    const second = await goOn(first);
    expect(await goOn(first)).toMatchObject(gone);
    expect(ids(await goOn(second))).toEqual(upTo(201, 300));
  });

  test('used twice at once gives its rows to one of both', async () => {
    const first = await ask();
    const both = await Promise.all([goOn(first), goOn(first)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['done', 'failed']);
  });

  test('is gone with the next statement of its run, which is in no transaction of its', async () => {
    const first = await ask();
    await client.call('query', { target: 'shop', sql: "INSERT INTO app.scratch (note) VALUES ('kept')" });
    expect(await goOn(first)).toMatchObject(gone);
    expect(await front.postgres.sql("SELECT count(*)::int AS n FROM app.scratch WHERE note = 'kept'")).toEqual([
      { n: 1 },
    ]);
    expect(await openTransactions()).toBe(0);
    const again = await ask();
    await client.call('query', { target: 'shop', sql: 'SELECT 1', run: 'another' });
    expect(ids(await goOn(again))).toEqual(upTo(101, 200));
    await client.call('describe', { target: 'shop' });
    expect(await openTransactions()).toBe(0);
  });

  test('is gone with its session', async () => {
    const who = await front.as({ ...people.agent, sub: 'killed' });
    const first = await ask({}, who);
    const listed = (await who.call('list_my_sessions', {})).result['sessions'] as { session: string }[];
    const operator = await front.gateway.apiAs(people.operator);
    await operator.kill(listed[0]?.session ?? '');
    expect(await goOn(first, {}, who)).toMatchObject(gone);
    await expect.poll(() => openTransactions()).toBe(0);
  });

  test('is gone when the database ended its session', async () => {
    const first = await ask();
    await front.postgres.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = '${sql}' AND xact_start IS NOT NULL`,
    );
    await expect.poll(() => openTransactions()).toBe(0);
    expect(await goOn(first)).toMatchObject({ isError: true, status: 'failed' });
    expect(await ask()).toMatchObject({ status: 'done' });
  });

  test('of calls at the same time at one target is left out where another call waits, and that is said', async () => {
    const who = await front.as({ ...people.agent, sub: 'parallel' });
    await who.call('query', { target: 'shop', sql: 'SELECT 1' });
    const answers = await Promise.all(upTo(1, 6).map(() => ask({ sql: `${sql} /* parallel */` }, who)));
    const [without, having] = [
      answers.filter(({ result }) => result['cursor'] === undefined),
      answers.filter(({ result }) => result['cursor'] !== undefined),
    ];
    for (const { result } of without) expect(result['notices']).toEqual([expect.stringMatching(/No|no cursor/)]);
    const works = await Promise.all(having.map((one) => goOn(one, {}, who)));
    expect(works.filter(({ status }) => status === 'done').length).toBeLessThanOrEqual(1);
  });
});

describe('each page is decided anew', () => {
  let inForce = policies;
  const setPolicies = async (text: string) => {
    if (text === inForce) return;
    inForce = text;
    await front.gateway.setPolicies(text);
  };
  afterEach(() => setPolicies(policies));

  test('and recorded as what goes on with its statement', async () => {
    const who = await front.as({ ...people.agent, sub: 'recorded' });
    const first = await ask({ intent: 'first' }, who);
    await goOn(first, { intent: 'second', step: 's2' }, who);
    const listed = (await who.call('list_my_sessions', {})).result['sessions'] as { session: string }[];
    const session = listed[0]?.session ?? '';
    await (await front.gateway.apiAs(people.operator)).kill(session);
    const path = (await sessionRecordings(front.gateway.dir)).find((name) => name.includes(session)) ?? '';
    await expect
      .poll(async () =>
        (await recordedEvents(path)).some((event) => event['type'] === 'close' || event['type'] === 'end'),
      )
      .toBe(true);
    const events = await recordedEvents(path);
    const pages = events.filter((event) => event['type'] === 'action' && event['name'] === 'Execute');
    expect(pages).toMatchObject([
      { effect: 'allow', run: { intent: 'first' } },
      { effect: 'allow', run: { intent: 'second', step: 's2' } },
    ]);
  });

  test('so that what policy denies now ends it', async () => {
    const tagged = `${sql} /* denied later */`;
    const first = await ask({ sql: tagged });
    expect(await openTransactions(tagged)).toBe(1);
    await setPolicies(
      `${policies}\n@id("people-closed") @reason("Closed for today") forbid (principal, action == Action::"sql:select", resource == Table::"shop/app/people");`,
    );
    expect(await goOn(first)).toMatchObject({ isError: true, status: 'denied', policies: ['people-closed'] });
    await expect.poll(() => openTransactions(tagged)).toBe(0);
    await setPolicies(policies);
    expect(await goOn(first)).toMatchObject(gone);
  });

  test('so that what policy shows now, or hides, holds from the next page on', async () => {
    const who = await front.as(people.trusted);
    const first = await ask({}, who);
    expect(JSON.stringify(first.result['rows'])).toContain('mail1@example.com');
    await setPolicies(policies.replace('@id("trusted-reveal") permit', '@id("trusted-reveal") forbid'));
    const second = await goOn(first, {}, who);
    expect(second.result['columns']).toMatchObject([{}, { masked: ['pii.email'] }]);
    expect(ids(second)).toEqual(upTo(101, 200));
    expect(JSON.stringify(second.result['rows'])).not.toMatch(/mail\d/);
  });

  test('so that what needs consent now is asked for by the statement, and not by its rest', async () => {
    const first = await ask();
    await setPolicies(
      `${policies}\n@id("people-wait") @approval("dba") @reason("Ask first") forbid (principal, action == Action::"sql:select", resource == Table::"shop/app/people");`,
    );
    const held = await goOn(first);
    expect(held).toMatchObject(gone);
    const request = /req_[a-z0-9]+/.exec(String(held['message']))?.[0];
    expect(await ask()).toMatchObject({ status: 'pending', request });
    await (await front.gateway.apiAs(people.dba)).approve(String(request));
    const collected = await ask();
    expect(collected).toMatchObject({ status: 'done' });
    // What was approved is the statement with all of its rows.
    expect(ids(await goOn(collected))).toEqual(upTo(101, 200));
  });

  test('and rows that policy counts are counted over all pages', async () => {
    await setPolicies(policies.replace('@limit_rows("2")', '@limit_rows("5")'));
    const logs = { sql: 'SELECT id FROM app.logs ORDER BY id', max_rows: 3 };
    const first = await ask(logs);
    expect(ids(first)).toEqual([1, 2, 3]);
    const second = await goOn(first, { max_rows: 3 });
    expect(ids(second)).toEqual([4, 5]);
    expect(second.result).toMatchObject({ rows_so_far: 5, truncated: true, truncated_by: 'policy' });
    expect(second.result).not.toHaveProperty('cursor');
  });
});
