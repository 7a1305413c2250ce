// Cursors of the gateway's own MCP server: guessed, stolen, replayed, taken to another target or run, hoarded, and used to
// have more than policy gives or to have it counted as less. One way per row, phrased as what must come of it. Rows are
// never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  createFrontGateway,
  type FrontClient,
  type FrontGateway,
  people,
  policies,
} from '../e2e/mcp-front-gateway.ts';

let front: FrontGateway;
let client: FrontClient;

beforeAll(async () => {
  front = await createFrontGateway({
    policies: `${policies}
@id("after-mail") @reason("Mail was shown in clear in this session")
forbid (principal, action in Action::"write", resource) when { context.labels_seen.contains("pii.email") };
`,
  });
  client = await front.as(people.agent);
});
afterAll(() => front?.stop());

const sql = 'SELECT id, email FROM app.people ORDER BY id';
const ask = (who: FrontClient, more: Record<string, unknown> = {}) =>
  who.call('query', { target: 'shop', sql, max_rows: 2, ...more });
const goOn = (who: FrontClient, cursor: unknown, more: Record<string, unknown> = {}) =>
  who.call('query', { target: 'shop', cursor, max_rows: 2, ...more });
const cursorOf = ({ result }: Answer): string => {
  expect(result['cursor']).toEqual(expect.stringMatching(/^[\w-]{32}$/));
  return String(result['cursor']);
};
const page = (from: number) => [from, from + 1].map((id) => [id, expect.not.stringContaining('mail')]);
const unknown = () => goOn(client, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
const named = async (sub: string, more: object = {}) => front.as({ ...people.agent, sub, ...more });

async function byAnotherProgram(cursor: string, sub: string): Promise<Answer> {
  const response = await fetch(front.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await front.gateway.token({ ...people.agent, sub })}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'user-agent': 'another/1',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'query', arguments: { target: 'shop', cursor } },
    }),
  });
  const text = (await response.text()).replace(/^[^{]*/, '');
  const { result } = JSON.parse(text);
  return { isError: result.isError, ...result.structuredContent };
}

describe('a cursor is nothing to', () => {
  test.each<[string, (cursor: string, owner: string) => Promise<Answer>]>([
    ['another agent', async (cursor) => goOn(await named('thief'), cursor)],
    ['who may see more', async (cursor) => goOn(await front.as(people.trusted), cursor)],
    [
      'the same principal with more groups',
      async (cursor, sub) => goOn(await named(sub, { groups: ['agents', 'trusted'] }), cursor),
    ],
    ['the same principal for another owner', async (cursor, sub) => goOn(await named(sub, { owner: 'otto' }), cursor)],
    ['the same principal by a later token', async (cursor, sub) => goOn(await named(sub, { ttl: 7_200 }), cursor)],
    ['the same principal in another program', byAnotherProgram],
  ])('%s, who is told what whoever guesses is told', async (_, attempt) => {
    const sub = `owner-${_}`;
    const owner = await named(sub);
    const cursor = cursorOf(await ask(owner));
    const stolen = await attempt(cursor, sub);
    expect(stolen).toEqual(await unknown());
    expect(stolen).toMatchObject({ isError: true, status: 'failed', code: 'cursor_gone' });
    // And the attempt took nothing from whose it is.
    expect((await goOn(owner, cursor)).result['rows']).toEqual(page(3));
  });

  test('its own principal with an access credential', async () => {
    const token = await front.gateway.token({ ...people.agent, sub: 'two-proofs' });
    const owner = await front.withToken(token);
    const cursor = cursorOf(await ask(owner));
    const api = await front.gateway.apiAs({ ...people.agent, sub: 'two-proofs' });
    const { id, secret } = await api.issueAccessCredential({ target: 'shop' });
    const other = await front.at(new URL('/mcp/shop', front.url), `${id}:${secret}`);
    expect(await goOn(other, cursor)).toEqual(await unknown());
  });

  test('its own principal in another run, or at another target', async () => {
    const owner = await named('runs');
    const cursor = cursorOf(await ask(owner, { run: 'a' }));
    expect(await goOn(owner, cursor, { run: 'b' })).toEqual(await unknown());
    expect(await goOn(owner, cursor)).toEqual(await unknown());
    expect(await goOn(owner, cursor, { run: 'a', target: 'down' })).toEqual(await unknown());
    expect(await goOn(owner, cursor, { run: 'a', target: 'nowhere' })).toMatchObject({ code: 'unknown_target' });
    expect((await goOn(owner, cursor, { run: 'a' })).result['rows']).toEqual(page(3));
  });
});

test.each<[string, Record<string, unknown>]>([
  ['with a statement', { sql: 'SELECT secret FROM app.secrets' }],
  ['with the same statement', { sql }],
  ['with parameters', { parameters: [1] }],
  ['with too many rows', { max_rows: 1_001 }],
  ['with none', { max_rows: 0 }],
])('a cursor %s means nothing', async (_, more) => {
  const owner = await named(`odd-${_}`);
  const cursor = cursorOf(await ask(owner));
  expect(await goOn(owner, cursor, more)).toMatchObject({ status: 'failed', code: 'arguments' });
});

test.each([null, 5, true, ['x'], {}, '', ' ', 'x'.repeat(129), 'x'.repeat(100_000)])(
  'what is no cursor is none: %j',
  async (cursor) => {
    const answer = await goOn(client, cursor);
    expect(['arguments', 'cursor_gone']).toContain(answer['code']);
  },
);

test.each(["' OR 1=1 --", '__proto__', 'constructor', 'c0', '%', '\u0000'])(
  'a guess finds nothing: %j',
  async (cursor) => {
    expect(await goOn(client, cursor)).toEqual(await unknown());
  },
);

test('describe takes no cursor', async () => {
  const owner = await named('describer');
  const cursor = cursorOf(await ask(owner));
  expect(await owner.call('describe', { target: 'shop', cursor })).toMatchObject({ code: 'arguments' });
});

test('a replayed cursor gives neither the rows again nor the ones after', async () => {
  const owner = await named('replayer');
  const cursor = cursorOf(await ask(owner));
  const next = cursorOf(await goOn(owner, cursor));
  expect(await goOn(owner, cursor)).toEqual(await unknown());
  expect(await goOn(owner, cursor)).toEqual(await unknown());
  expect((await goOn(owner, next)).result['rows']).toEqual(page(5));
});

test('whoever hoards them keeps a few, and no transaction of the others stays open', async () => {
  const owner = await named('hoarder');
  const cursors: string[] = [];
  const hoarded = `${sql} /* hoarded */`;
  for (let run = 0; run < 8; run++) cursors.push(cursorOf(await ask(owner, { sql: hoarded, run: `${run}` })));
  const open = async () => {
    const rows = await front.postgres.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE xact_start IS NOT NULL AND query = '${hoarded}'`,
    );
    return Number(rows[0]?.['n']);
  };
  await expect.poll(open).toBe(4);
  const answers: Answer[] = [];
  for (const [run, cursor] of cursors.entries()) answers.push(await goOn(owner, cursor, { run: `${run}` }));
  expect(answers.map(({ status }) => status)).toEqual([...Array(4).fill('failed'), ...Array(4).fill('done')]);
});

test('a transaction that a cursor keeps is no statement of the next call', async () => {
  const owner = await named('mixer');
  const cursor = cursorOf(await ask(owner, { sql: 'SELECT id FROM app.people ORDER BY id' }));
  expect(await owner.call('query', { target: 'shop', sql: 'COMMIT' })).not.toHaveProperty('result.rows', [[3], [4]]);
  expect(await goOn(owner, cursor)).toEqual(await unknown());
});

describe('what was shown in clear was shown, also where the rest never came', () => {
  const write = { target: 'shop', sql: "INSERT INTO app.scratch (note) VALUES ('after mail')" };

  test('by one page', async () => {
    const owner = await front.as({ ...people.trusted, sub: 'half-a-page' });
    expect(await owner.call('query', write)).toMatchObject({ status: 'done' });
    cursorOf(await ask(owner));
    expect(await owner.call('query', write)).toMatchObject({ status: 'denied', policies: ['after-mail'] });
  });

  test('by a statement that fails after some rows', async () => {
    const owner = await front.as({ ...people.trusted, sub: 'half-a-result' });
    const failing = 'SELECT email, 1 / (3 - id) FROM app.people WHERE id < 4';
    expect(await ask(owner, { sql: failing, max_rows: 100 })).toMatchObject({ status: 'failed', code: '22012' });
    expect(await owner.call('query', write)).toMatchObject({ status: 'denied', policies: ['after-mail'] });
  });
});

describe('policy limits rows, however they are asked for', () => {
  test.each([1, 2, 3, 200])('%i at a time', async (max_rows) => {
    const owner = await named(`limited-${max_rows}`);
    let answer = await ask(owner, { sql: 'SELECT id FROM app.logs ORDER BY id', max_rows });
    const rows = [...(answer.result['rows'] as unknown[])];
    while (answer.result['cursor'] !== undefined) {
      answer = await goOn(owner, answer.result['cursor'], { max_rows });
      rows.push(...(answer.result['rows'] as unknown[]));
    }
    expect(rows).toEqual([[1], [2]]);
    expect(answer.result).toMatchObject({ truncated: true, truncated_by: 'policy' });
  });
});
