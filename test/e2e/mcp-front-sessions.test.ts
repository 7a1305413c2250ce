// The gateway's own MCP server over time and connections: what waits for people, what is kept between calls and for whom,
// clients that leave, HTTP/2 and TLS.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { type RequestOptions, request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import { createFrontGateway, type FrontClient, type FrontGateway, people } from './mcp-front-gateway.ts';

let front: FrontGateway;
beforeAll(async () => {
  front = await createFrontGateway();
});
afterAll(() => front?.stop());

async function ended(session: string): Promise<void> {
  const operator = await front.gateway.apiAs(people.operator);
  while ((await operator.session(session)).ended_at === undefined)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('what waits for people', () => {
  const sql = (id: number) => `DELETE FROM app.people WHERE id = ${id}`;

  test('is told at once, can be looked at, and the identical call collects the consent once', async () => {
    const client = await front.as(people.agent);
    const call = () => client.call('query', { target: 'shop', sql: sql(401), intent: 'clean up' });
    const pending = await call();
    expect(pending).toMatchObject({
      status: 'pending',
      request: expect.stringMatching(/^req_/),
      url: expect.stringContaining(String(pending['request'])),
      reason: expect.stringMatching(/dba/),
      hint: expect.stringMatching(/identical/),
    });
    expect(pending.isError).toBe(true);
    const request = String(pending['request']);
    expect(await call()).toMatchObject({ status: 'pending', request });
    const state = async () => (await client.call('request_status', { request })).result;
    expect(await state()).toMatchObject({
      state: 'pending',
      target: 'shop',
      groups: ['dba'],
      actions: expect.arrayContaining([`sql:delete: ${sql(401)}`]),
    });

    const dba = await front.gateway.apiAs(people.dba);
    expect(await dba.accessRequest(request)).toMatchObject({ run: { intent: 'clean up' } });
    await dba.approve(request);
    expect(await state()).toMatchObject({ state: 'approved', next: expect.stringMatching(/identical/) });
    expect(await client.call('query', { target: 'shop', sql: sql(402) })).toMatchObject({ status: 'pending' });
    expect(await call()).toMatchObject({ status: 'done', result: { command: 'DELETE 1' } });
    expect(await state()).toMatchObject({ state: 'used' });
    expect(await call()).toMatchObject({ status: 'pending', request: expect.not.stringMatching(request) });
    expect(await front.postgres.sql('SELECT id FROM app.people WHERE id IN (401, 402)')).toEqual([{ id: 402 }]);
  });

  test('is collected in another session than the one that asked', async () => {
    const client = await front.as({ ...people.agent, sub: 'patient' });
    const call = () => client.call('query', { target: 'shop', sql: sql(405) });
    const request = String((await call())['request']);
    const listed = (await client.call('list_my_sessions', {})).result['sessions'] as { session: string }[];
    const session = listed[0]?.session ?? '';
    await (await front.gateway.apiAs(people.operator)).kill(session);
    await ended(session);
    await (await front.gateway.apiAs(people.dba)).approve(request);
    expect(await call()).toMatchObject({ status: 'done', result: { command: 'DELETE 1' } });
  });

  test('is told of a refusal with the words of who refused', async () => {
    const client = await front.as(people.agent);
    const call = () => client.call('query', { target: 'shop', sql: sql(403) });
    const request = String((await call())['request']);
    await (await front.gateway.apiAs(people.dba)).deny(request, 'not on a Friday');
    expect((await client.call('request_status', { request })).result).toMatchObject({
      state: 'denied',
      answers: [{ answer: 'deny', comment: 'not on a Friday' }],
    });
    expect(await call()).toMatchObject({ isError: true, status: 'denied', reason: expect.stringMatching(/Friday/) });
  });

  test("is nobody else's to see or to collect", async () => {
    const client = await front.as(people.agent);
    const other = await front.as(people.other);
    const request = String((await client.call('query', { target: 'shop', sql: sql(404) }))['request']);
    await (await front.gateway.apiAs(people.dba)).approve(request);
    const foreign = await other.call('request_status', { request });
    expect(foreign).toEqual(await other.call('request_status', { request: 'req_nothing' }));
    expect(await other.call('query', { target: 'shop', sql: sql(404) })).toMatchObject({
      status: 'pending',
      request: expect.not.stringMatching(request),
    });
  });

  test('may be the session itself', async () => {
    const client = await front.as(people.visitor);
    const call = () => client.call('query', { target: 'shop', sql: 'SELECT 1', intent: 'look around' });
    const pending = await call();
    expect(pending).toMatchObject({ status: 'pending', reason: expect.stringMatching(/dba/) });
    const request = String(pending['request']);
    const dba = await front.gateway.apiAs(people.dba);
    expect(await dba.accessRequest(request)).toMatchObject({ unit: 'connect', run: { intent: 'look around' } });
    await dba.approve(request);
    expect(await call()).toMatchObject({ status: 'done' });
    expect(await call()).toMatchObject({ status: 'done' });
    expect((await client.call('request_status', { request })).result).toMatchObject({ state: 'used' });
  });
});

describe('a client that leaves', () => {
  test.each([
    ['older', {}],
    ['modern', { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'query' }],
  ] as const)('takes its statement with it (%s)', async (generation, headers) => {
    const token = await front.gateway.token({ ...people.agent, sub: `leaver-${generation}` });
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'leaver', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = {
      name: 'query',
      arguments: { target: 'shop', sql: `SELECT pg_sleep(100) /* ${generation} */` },
      ...(generation === 'modern' ? { _meta: meta } : {}),
    };
    const abort = new AbortController();
    const answer = fetch(front.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      signal: abort.signal,
    }).then((response) => response.text());
    answer.catch(() => {});
    const running = () =>
      front.postgres.sql(
        `SELECT application_name FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%/* ${generation} */' AND query LIKE 'SELECT pg_sleep%'`,
      );
    while ((await running()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (generation === 'modern') expect(await running()).toEqual([{ application_name: 'leaver/1' }]);
    abort.abort();
    await expect(answer).rejects.toThrow();
    while ((await running()).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('sessions', () => {
  interface Listed {
    readonly session: string;
    readonly live: boolean;
  }
  const sessions = async (client: FrontClient): Promise<readonly Listed[]> =>
    (await client.call('list_my_sessions', {})).result['sessions'] as Listed[];

  test("are kept for the next call, by run, and are nobody else's", async () => {
    const [one, two] = await Promise.all([
      front.as({ ...people.agent, sub: 'p1' }),
      front.as({ ...people.agent, sub: 'p2' }),
    ]);
    const calls = (client: FrontClient, run: string) =>
      client.call('query', { target: 'shop', sql: 'SELECT pg_backend_pid()', run });
    const first = await calls(one, 'a');
    expect(first).toEqual(await calls(one, 'a'));
    expect(first).not.toEqual(await calls(one, 'b'));
    await calls(two, 'a');
    const [mine, theirs] = [await sessions(one), await sessions(two)];
    expect([mine.length, theirs.length]).toEqual([2, 1]);
    expect(mine.map(({ session }) => session)).not.toContain(theirs[0]?.session);
  });

  test('are never shared between principals, however they come at once', async () => {
    const subjects = ['m1', 'm2', 'm3'];
    const clients = await Promise.all(
      subjects.map((sub, index) =>
        front.as(index === 0 ? { ...people.trusted, sub } : { ...people.agent, sub }, index === 1 ? 'older' : 'modern'),
      ),
    );
    const sql = 'SELECT pg_backend_pid(), email FROM app.people WHERE id = $1';
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const who = index % clients.length;
        const answer = await (clients[who] as FrontClient).call('query', {
          target: 'shop',
          sql,
          parameters: [index + 1],
        });
        const [pid, email] = (answer.result['rows'] as [number, string][])[0] ?? [0, ''];
        return { who, pid, clear: email === `mail${index + 1}@example.com` };
      }),
    );
    const pids = clients.map((_, who) => [...new Set(answers.filter((one) => one.who === who).map(({ pid }) => pid))]);
    expect(pids.map((each) => each.length)).toEqual([1, 1, 1]);
    expect(new Set(pids.flat()).size).toBe(3);
    expect(answers.filter(({ clear }) => clear).every(({ who }) => who === 0)).toBe(true);
    expect(answers.filter(({ who, clear }) => who === 0 && clear)).toHaveLength(10);
  });

  test('that are killed are gone, and the next call has another', async () => {
    const client = await front.as({ ...people.agent, sub: 'victim' });
    await client.call('query', { target: 'shop', sql: 'SELECT 1' });
    const [{ session } = { session: '' }] = await sessions(client);
    const operator = await front.gateway.apiAs(people.operator);
    await operator.kill(session);
    await ended(session);
    expect(await client.call('query', { target: 'shop', sql: 'SELECT 1' })).toMatchObject({ status: 'done' });
    const after = await sessions(client);
    expect(after.find((one) => one.session === session)).toMatchObject({ live: false, end_reason: 'killed' });
    expect(after.filter(({ live }) => live)).toHaveLength(1);
  });

  test('that are killed under a statement say so, and stop it', async () => {
    const client = await front.as({ ...people.agent, sub: 'struck' });
    const answer = client.call('query', { target: 'shop', sql: 'SELECT pg_sleep(100) /* struck */' });
    const running = () =>
      front.postgres.sql(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%/* struck */'",
      );
    while ((await running()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [{ session } = { session: '' }] = await sessions(client);
    await (await front.gateway.apiAs(people.operator)).kill(session);
    expect(await answer).toMatchObject({ isError: true, status: 'failed', message: expect.any(String) });
    while ((await running()).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('record what was asked, decided and answered, with what the caller claims', async () => {
    const client = await front.as({ ...people.agent, sub: 'claimant' });
    await client.call(
      'query',
      {
        target: 'shop',
        sql: 'SELECT email FROM app.people WHERE id = $1',
        parameters: [7],
        intent: 'look',
        step: 's1',
      },
      { 'sluice/run': 'r1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    );
    const [{ session } = { session: '' }] = await sessions(client);
    await (await front.gateway.apiAs(people.operator)).kill(session);
    await ended(session);
    const path = (await sessionRecordings(front.gateway.dir)).find((name) => name.includes(session));
    const events = await recordedEvents(path ?? '');
    const bind = events.find((event) => event['type'] === 'action' && event['name'] === 'Bind');
    expect(bind).toMatchObject({
      text: ['SELECT email FROM app.people WHERE id = $1'],
      parameters: ['7'],
      effect: 'allow',
      run: {
        run: 'r1',
        step: 's1',
        intent: expect.stringMatching(/^look\ufffd?$/),
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    expect(events.find((event) => event['type'] === 'shape')).toMatchObject({ columns: [{ masked: ['pii.email'] }] });
  });
});

test('HTTP/2 carries several calls at once', async () => {
  const session = connect(front.url.origin);
  const token = await front.gateway.token(people.agent);
  const send = async (id: number): Promise<string> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/mcp',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    });
    const params = { name: 'query', arguments: { target: 'shop', sql: 'SELECT $1::int', parameters: [id] } };
    stream.end(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
    let text = '';
    for await (const chunk of stream) text += chunk;
    return text;
  };
  const answers = await Promise.all([101, 102, 103].map(send));
  session.close();
  expect(answers.map((text) => /"rows":\[\[(\d+)\]\].*"id":(\d+)/.exec(text)?.slice(1))).toEqual([
    ['101', '101'],
    ['102', '102'],
    ['103', '103'],
  ]);
});

describe('over TLS', () => {
  let secure: FrontGateway;
  beforeAll(async () => {
    secure = await createFrontGateway({ tls: true });
  });
  afterAll(() => secure?.stop());

  const send = async (path: string, options: RequestOptions, body = ''): Promise<{ status: number; text: string }> => {
    const { port } = secure.url;
    const sent = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      ca: secure.gateway.ca?.cert,
      ...options,
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode ?? 0, text };
  };

  test('a token is taken, and the metadata names https', async () => {
    const headers = {
      authorization: `Bearer ${await secure.gateway.token(people.agent)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      host: 'gateway.example:8443',
    };
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'list_targets', arguments: {} },
    });
    const answer = await send('/mcp', { method: 'POST', headers }, body);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/shop/);
    const about = await send('/.well-known/oauth-protected-resource/mcp', { headers: { host: headers.host } });
    expect(JSON.parse(about.text)).toMatchObject({ resource: 'https://gateway.example:8443/mcp' });
  });
});
