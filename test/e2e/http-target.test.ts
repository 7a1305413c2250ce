// Real clients, a real gateway, and a real API behind it.
import { createServer as createPlainServer } from 'node:net';
import { Client, EventSource, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { findOnPath, findPythonModule, needing } from '../harness/clients.ts';
import { type Api, apiToken, json, startApi, startCrm } from '../harness/http-api.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import { startProgram } from '../harness/run-program.ts';

const email = 'ada.lovelace@example.com';
const customers = [
  { id: 1, name: 'Ada', email },
  { id: 12345678901234, name: 'Grace', email: 'grace.hopper@example.com' },
];

const policies = `
@id("all") permit (principal, action, resource)
  unless { [Action::"http:delete", Action::"http:opaque", Action::"reveal"].contains(action) };
@id("operators") permit (principal in Group::"operators", action, resource);
@id("no-delete") @reason("Nobody deletes customers.") forbid (principal, action == Action::"http:delete", resource);
@id("ask") @approval("reviewers") @reason("Large payments need consent.")
forbid (principal, action == Action::"http:write", resource in Endpoint::"crm/v1/payments")
  when { context.numbers.hasTag("/amount") && context.numbers.getTag("/amount") > 1000 };
@id("images") permit (principal, action == Action::"http:opaque", resource in Endpoint::"crm/images");
@id("texts") permit (principal, action == Action::"http:opaque", resource == Endpoint::"crm/v1/text");
`;

let api: Api;
let gateway: AnyGateway;
let token: string;
let base: string;

beforeAll(async () => {
  api = await startApi((asked, response) => {
    const path = asked.url.split('?')[0] ?? '';
    if (path === '/v1/customers') json(response, customers);
    else if (path === '/v1/text') {
      response.setHeader('content-type', 'text/plain');
      response.end(`write to ${email} today`);
    } else if (path === '/v1/lines') {
      response.setHeader('content-type', 'application/x-ndjson');
      for (const customer of customers) response.write(`${JSON.stringify(customer)}\n`);
      response.end();
    } else if (path === '/v1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const customer of customers) response.write(`event: customer\ndata: ${JSON.stringify(customer)}\n\n`);
      response.write('data: [DONE]\n\n');
      setTimeout(() => response.end(), 50);
    } else if (path.startsWith('/images/') || path === '/v1/archive') {
      response.setHeader('content-type', 'application/octet-stream');
      response.end(Buffer.from([1, 2, 3, 255]));
    } else if (path === '/v1/redirect') {
      response.writeHead(302, {
        location: `http://127.0.0.1:${api.port}/v1/customers`,
        'set-cookie': 'sid=secret-cookie; Domain=internal; Path=/; HttpOnly',
        'alt-svc': 'h2=":443"',
        'x-mail': email,
      });
      response.end();
    } else if (path === '/v1/missing') json(response, { error: 'no such customer' }, 404);
    else if (path === '/v1/broken') {
      response.setHeader('content-type', 'application/json');
      response.end('{"email": ');
    } else json(response, { received: asked.body, type: asked.headers['content-type'] ?? null });
  });
  gateway = await startCrm(api, {
    policies,
    target: { hosts: ['crm.internal'], graphql_paths: ['/graphql'] },
    masking: { labels: { 'pii.email': ['crm.**.email'] }, detect_text: ['pii.email'] },
  });
  const { host, port } = gateway.at('http');
  base = `http://${host}:${port}/t/crm`;
  token = await gateway.token({ sub: 'worker', groups: ['workers'] });
});

afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const { method = 'GET', headers = {}, body } = options;
  const answer = await request(`${base}${path}`, {
    method: method as 'GET',
    headers: { ...bearer(), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

describe('a client', () => {
  test('gets what it may see, with the API’s own credential added and its own taken out', async () => {
    const answer = await ask('/v1/customers?limit=2');
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(email);
    const [ada, grace] = JSON.parse(answer.text);
    expect(ada).toMatchObject({ id: 1, name: 'Ada' });
    expect(grace).toMatchObject({ id: 12345678901234, name: 'Grace' });
    expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(answer.text));
    const seen = api.seen.at(-1);
    expect(seen).toMatchObject({ method: 'GET', url: '/v1/customers?limit=2' });
    expect(seen?.headers['authorization']).toBe(`Bearer ${apiToken}`);
    expect(JSON.stringify(seen)).not.toContain(token);
  });

  test('is told the same 401 whatever is wrong', async () => {
    const wrong = [
      undefined,
      'Bearer x',
      'Bearer',
      'Basic eDp5',
      'Digest x',
      `Bearer ${token}x`,
      `Bearer ${token}, Bearer x`,
    ];
    const before = api.seen.length;
    const told = [];
    for (const authorization of wrong) {
      const { statusCode, headers, body } = await request(`${base}/v1/customers`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      told.push([statusCode, headers['www-authenticate'], await body.text()]);
    }
    expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(told[0]?.[0]).toBe(401);
    expect(api.seen.length).toBe(before);
  });

  test('reaches a target by its host names, too, and no other', async () => {
    const { host, port } = gateway.at('http');
    const client = new Client(`http://${host}:${port}`);
    const to = async (name: string): Promise<number> => {
      const answer = await client.request({ method: 'GET', path: '/v1/text', headers: { ...bearer(), host: name } });
      await answer.body.dump();
      return answer.statusCode;
    };
    expect(await to('crm.internal')).toBe(200);
    expect(await to('CRM.internal:8080')).toBe(200);
    expect(await to('crm')).toBe(200);
    expect(await to('other.internal')).toBe(404);
    await client.close();
  });

  test('may prove itself with an access credential', async () => {
    const client = await gateway.apiAs({ sub: 'worker', groups: ['workers'] });
    const { id, secret } = await client.issueAccessCredential({ target: 'crm' });
    const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    for (const headers of [
      { authorization: basic },
      { authorization: `Bearer ${id}:${secret}` },
      { authorization: '', 'sluice-authorization': basic },
    ]) {
      const { authorization, ...rest } = headers;
      const answer = await request(`${base}/v1/text`, { headers: authorization ? { authorization } : rest });
      await answer.body.dump();
      expect(answer.statusCode).toBe(200);
    }
  });
});

describe('what comes back', () => {
  test('as text, as lines and as events is masked as it streams', async () => {
    for (const path of ['/v1/text', '/v1/lines', '/v1/events']) {
      const { status, text } = await ask(path);
      expect(status).toBe(200);
      expect(text).not.toContain(email);
      expect(text).not.toContain('grace.hopper@example.com');
    }
    expect((await ask('/v1/text')).text).toMatch(/^write to .* today$/);
    expect(
      (await ask('/v1/lines')).text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name),
    ).toEqual(['Ada', 'Grace']);
    expect((await ask('/v1/events')).text).toContain('data: [DONE]\n\n');
  });

  test('is clear for who may see it', async () => {
    const own = await gateway.token({ sub: 'op', groups: ['operators'] });
    const answer = await request(`${base}/v1/customers`, { headers: { authorization: `Bearer ${own}` } });
    expect(await answer.body.json()).toEqual(customers);
  });

  test('as bytes that nothing can be masked in needs leave of its own', async () => {
    const refused = await ask('/v1/archive');
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('only its answer is withheld');
    const { statusCode, body } = await request(`${base}/images/1`, { headers: bearer() });
    expect([statusCode, Buffer.from(await body.arrayBuffer())]).toEqual([200, Buffer.from([1, 2, 3, 255])]);
  });

  test('leads nowhere past the gateway', async () => {
    const { status, headers } = await ask('/v1/redirect');
    expect(status).toBe(302);
    expect(headers['location']).toBe('/t/crm/v1/customers');
    expect(headers['set-cookie']).toBe('sid=secret-cookie; Path=/t/crm/; HttpOnly');
    expect(headers['alt-svc']).toBeUndefined();
    expect(headers['x-mail']).not.toBe(email);
    expect(headers['cache-control']).toBe('private');
  });

  test('that can’t be read as what it says is withheld', async () => {
    expect((await ask('/v1/broken')).status).toBe(502);
  });

  test('from the API itself passes with its own status', async () => {
    expect(await ask('/v1/missing')).toMatchObject({ status: 404, text: '{"error":"no such customer"}' });
  });
});

describe('a decision', () => {
  test('to refuse is told as a problem, and nothing arrives', async () => {
    const before = api.seen.length;
    const { status, headers, text } = await ask('/v1/customers/1', { method: 'DELETE' });
    expect(status).toBe(403);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(text)).toMatchObject({
      status: 403,
      code: 'denied',
      decision: 'deny',
      reason: 'Nobody deletes customers.',
      policies: ['no-delete'],
    });
    expect(api.seen.length).toBe(before);
  });

  test('to hold is told at once where the client asks for it; the identical request collects', async () => {
    const pay = { method: 'POST', headers: { 'content-type': 'application/json', prefer: 'respond-async' } };
    const body = '{"to": "x", "amount": 5000}';
    const before = api.seen.length;
    const held = await ask('/v1/payments', { ...pay, body });
    expect(held.status).toBe(202);
    const { request: id, url } = JSON.parse(held.text);
    expect(held.headers['location']).toBe(url);
    expect(held.headers['retry-after']).toBe('5');
    const again = await ask('/v1/payments', { ...pay, body });
    expect(JSON.parse(again.text).request).toBe(id);
    expect(api.seen.length).toBe(before);
    const reviewer = await gateway.apiAs({ sub: 'boss', groups: ['reviewers'] });
    const shown = await reviewer.accessRequest(id);
    expect(JSON.stringify(shown)).toContain('POST /v1/payments');
    expect(JSON.stringify(shown)).toContain('5000');
    await reviewer.approve(id);
    // Another amount is another request.
    const other = await ask('/v1/payments', { ...pay, body: '{"to": "x", "amount": 5001}' });
    expect(other.status).toBe(202);
    expect(api.seen.length).toBe(before);
    const done = await ask('/v1/payments', { ...pay, body });
    expect(done.status).toBe(200);
    expect(api.seen.at(-1)).toMatchObject({ url: '/v1/payments', body });
    expect((await ask('/v1/payments', { ...pay, body })).status).toBe(202);
    expect(api.seen.length).toBe(before + 1);
  });

  test('to hold keeps other clients waiting until somebody answers', async () => {
    const answer = ask('/v1/payments', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"amount": 7777}',
    });
    const reviewer = await gateway.apiAs({ sub: 'boss', groups: ['reviewers'] });
    let id = '';
    await expect
      .poll(async () => {
        const { items } = await reviewer.accessRequests({ state: 'pending' });
        id = items.find((each) => JSON.stringify(each).includes('7777'))?.id ?? '';
        return id;
      })
      .not.toBe('');
    await reviewer.approve(id);
    expect((await answer).status).toBe(200);
  });
});

describe('a body', () => {
  test('that nothing can be read of is passed on and recorded', async () => {
    const body = Buffer.alloc(300_000, 7);
    const { status, text } = await ask('/v1/upload', { method: 'PUT', headers: { 'content-type': 'image/png' }, body });
    expect(status).toBe(200);
    expect(JSON.parse(text).received.length).toBe(300_000);
  });

  test('that is packed arrives unpacked', async () => {
    const { gzipSync } = await import('node:zlib');
    const { status } = await ask('/v1/notes', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"a":1}'),
    });
    expect(status).toBe(200);
    expect(api.seen.at(-1)).toMatchObject({ body: '{"a":1}' });
    expect(api.seen.at(-1)?.headers['content-encoding']).toBeUndefined();
  });
});

describe('programs that people use', () => {
  const curl = findOnPath('curl');

  test.skipIf(!curl.there).each([
    ['HTTP/1.1', '--http1.1'],
    ['HTTP/2', '--http2-prior-knowledge'],
    ['HTTP/2 by an upgrade that is not taken up', '--http2'],
  ])(needing(curl, 'curl with %s'), async (_name, option) => {
    if (!curl.there) return;
    const { stdout } = await startProgram(curl.path, [
      '-sS',
      option,
      '-H',
      `Authorization: Bearer ${token}`,
      `${base}/v1/customers`,
    ]).ended;
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stdout).not.toContain(email);
    const { stdout: posted } = await startProgram(
      curl.path,
      [
        ...['-sS', option, '-u', 'x:y', '-H', `Authorization: Bearer ${token}`, '-H', 'Expect: 100-continue'],
        ...['-F', 'file=@-', `${base}/v1/upload`],
      ],
      { input: 'hello from a form' },
    ).ended;
    expect(posted).toContain('hello from a form');
  });

  const python = findPythonModule('requests');
  test.skipIf(!python.there)(needing(python, 'requests, with a session of its own'), async () => {
    if (!python.there) return;
    const script = `
import requests, sys
s = requests.Session(); s.headers['Authorization'] = 'Bearer ' + sys.argv[2]
for _ in range(3): r = s.get(sys.argv[1] + '/v1/customers'); r.raise_for_status()
print(len(r.json()), s.post(sys.argv[1] + '/v1/notes', json={'a': 1}).json()['received'])
print(s.delete(sys.argv[1] + '/v1/customers/1').status_code)
`;
    const { stdout, stderr } = await startProgram(python.path, ['-c', script, base, token]).ended;
    expect([stdout, stderr]).toEqual(['2 {"a": 1}\n403\n', '']);
  });

  const httpx = findPythonModule('httpx');
  // Without TLS a client has to know beforehand that HTTP/2 is spoken: it then speaks nothing else.
  for (const [version, how, needed] of [
    ['HTTP/1.1', 'http1=True', httpx],
    ['HTTP/2', 'http1=False, http2=True', httpx.there ? findPythonModule('h2') : httpx],
  ] as const) {
    test.skipIf(!needed.there)(needing(needed, `httpx with ${version}`), async () => {
      if (!needed.there) return;
      const script = `
import httpx, sys
with httpx.Client(${how}, headers={'Authorization': 'Bearer ' + sys.argv[2]}) as c:
    for _ in range(3): r = c.get(sys.argv[1] + '/v1/customers'); r.raise_for_status()
    print(r.http_version, len(r.json()), c.post(sys.argv[1] + '/v1/notes', json={'a': 1}).json()['received'])
    print(c.delete(sys.argv[1] + '/v1/customers/1').status_code)
    with c.stream('GET', sys.argv[1] + '/v1/customers') as s: print(sum(len(part) for part in s.iter_bytes()) > 0)
`;
      const { stdout, stderr } = await startProgram(needed.path, ['-c', script, base, token]).ended;
      expect([stdout, stderr]).toEqual([`${version} 2 {"a":1}\n403\nTrue\n`, '']);
    });
  }

  test('an EventSource', async () => {
    const source = new EventSource(`${base}/v1/events`, {
      node: {
        dispatcher: new Client(new URL(base).origin).compose(
          (dispatch) => (options, handler) =>
            dispatch({ ...options, headers: { ...(options.headers as Record<string, string>), ...bearer() } }, handler),
        ),
      },
    } as never);
    const event = await new Promise<{ data: string }>((resolve, reject) => {
      source.addEventListener('customer', (message) => resolve(message as never));
      source.addEventListener('error', (error) => reject(new Error(JSON.stringify(error))));
    });
    source.close();
    expect(JSON.parse(event.data)).toMatchObject({ id: 1, name: 'Ada' });
    expect(event.data).not.toContain(email);
  });
});

test('a session is recorded as its client saw it, without a secret', async () => {
  const client = new Client(new URL(base).origin);
  const mark = 'recorded-mark';
  const answer = await client.request({
    method: 'POST',
    path: `/t/crm/v1/notes?q=${mark}`,
    headers: { ...bearer(), 'content-type': 'application/json', 'sluice-run': 'run-7', 'sluice-intent': 'Prüfen' },
    body: '{"note": "hello"}',
  });
  await answer.body.text();
  const redirect = await client.request({ method: 'GET', path: '/t/crm/v1/redirect', headers: bearer() });
  await redirect.body.dump();
  await client.close();
  let events: Awaited<ReturnType<typeof recordedEvents>> = [];
  await expect
    .poll(async () => {
      for (const path of await sessionRecordings(gateway.dir)) {
        events = await recordedEvents(path).catch(() => []);
        if (JSON.stringify(events).includes(mark)) return events.at(-1)?.['type'];
      }
      return undefined;
    })
    .toBe('seal');
  const text = JSON.stringify(events);
  expect(events.find(({ type, name }) => type === 'action' && name === 'POST')).toMatchObject({
    effect: 'allow',
    text: [`POST /v1/notes?q=${mark}\n\n{"note": "hello"}`],
    run: { run: 'run-7', intent: 'Prüfen' },
  });
  expect(events.filter(({ type }) => type === 'output').length).toBeGreaterThan(0);
  expect(events.filter(({ type }) => type === 'complete').map(({ tag }) => tag)).toContain('200 OK');
  expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'client_closed' });
  for (const secret of [apiToken, token, 'secret-cookie']) expect(text).not.toContain(secret);
});

test('a target that cannot be reached is told, and not where it is', async () => {
  const server = createPlainServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const other = await startCrm({ ...api, port });
  const { host, port: at } = other.at('http');
  const own = await other.token({ sub: 'worker', groups: ['workers'] });
  const answer = await request(`http://${host}:${at}/t/crm/x`, { headers: { authorization: `Bearer ${own}` } });
  const text = await answer.body.text();
  expect(answer.statusCode).toBe(502);
  expect(text).not.toContain(String(port));
  await other.stop();
  server.close();
});
