// The gateway's own MCP endpoint as a web page, a thief of ids, a clumsy client and a curious model would try it. Each
// row is one way around, with what must come of it. Rows are never removed.
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFrontGateway, type FrontClient, type FrontGateway, people } from '../e2e/mcp-front-gateway.ts';

let front: FrontGateway;
let token: string;
let client: FrontClient;
beforeAll(async () => {
  front = await createFrontGateway();
  token = await front.gateway.token(people.agent);
  client = await front.withToken(token);
});
afterAll(() => front?.stop());

interface Heard {
  readonly status: number;
  readonly text: string;
}

/** Sends bytes, and gives the first status and all that came back. */
async function raw(head: readonly string[], body: string | Buffer = ''): Promise<Heard> {
  const socket = connect({ host: front.url.hostname, port: Number(front.url.port) });
  socket.on('error', () => {});
  const parts: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => parts.push(chunk));
  socket.write(`${[...head, 'Connection: close', `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n`);
  socket.write(body);
  await new Promise((resolve) => socket.once('close', resolve));
  const text = Buffer.concat(parts).toString('utf8');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}

const message = (method: string, params: unknown = {}, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const listing = message('tools/list');

interface Sent {
  readonly line?: string;
  readonly host?: string;
  readonly authorization?: readonly string[];
  readonly headers?: readonly string[];
}

function post(body: string | Buffer, { line = 'POST /mcp', host, authorization, headers = [] }: Sent = {}) {
  const auth = authorization ?? [`Bearer ${token}`];
  return raw(
    [
      `${line} HTTP/1.1`,
      `Host: ${host ?? front.url.host}`,
      ...auth.map((value) => `Authorization: ${value}`),
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      ...headers,
    ],
    body,
  );
}

test('a client that does nothing odd is served', async () => {
  const { status, text } = await post(listing);
  expect(status).toBe(200);
  expect(text).toMatch(/list_targets/);
});

describe('a wrong proof is refused like any other, whatever is wrong', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = (claims: object) => `${part({ alg: 'none', kid: 'test' })}.${part(claims)}.`;

  test.each<[string, () => Promise<readonly string[]>]>([
    ['none', async () => []],
    ['an empty one', async () => ['Bearer ']],
    ['Basic', async () => [`Basic ${Buffer.from(`x:${token}`).toString('base64')}`]],
    ['the token without its scheme', async () => [token]],
    ['two of them, the right one first', async () => [`Bearer ${token}`, 'Bearer x']],
    ['two of them, the right one last', async () => ['Bearer x', `Bearer ${token}`]],
    ['two in one', async () => [`Bearer ${token}, Bearer ${token}`]],
    ['an expired one', async () => [`Bearer ${await front.gateway.token({ ...people.agent, ttl: -60 })}`]],
    ['an unsigned one', async () => [`Bearer ${unsigned({ iss: front.gateway.issuer.issuer, sub: 'bot', exp: 9e9 })}`]],
    ['one with a character changed', async () => [`Bearer ${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`]],
    ['an access credential that is none', async () => [`Bearer sac_${'x'.repeat(26)}:${'y'.repeat(32)}`]],
    ['a megabyte', async () => [`Bearer ${'x'.repeat(60_000)}`]],
  ])('%s', async (_, authorization) => {
    const { status, text } = await post(listing, { authorization: await authorization() });
    expect(text).not.toMatch(/list_targets/);
    // HTTP itself has no header of that size, and no field of that name twice.
    if (status === 431 || status === 400) return;
    expect(status).toBe(401);
    expect(text).toMatch(/WWW-Authenticate: Bearer resource_metadata="http:\/\/[^"]+\/\.well-known\/[^"]+\/mcp"/i);
    expect(text).toMatch(/"error":"unauthenticated"/);
  });

  test('in the query string, where logs and referrers have it', async () => {
    const { status } = await post(listing, { line: `POST /mcp?access_token=${token}`, authorization: [] });
    expect(status).toBe(404);
  });

  test('an access credential at the address of all targets', async () => {
    const api = await front.gateway.apiAs(people.agent);
    const { id, secret } = await api.issueAccessCredential({ target: 'shop' });
    expect((await post(listing, { authorization: [`Bearer ${id}:${secret}`] })).status).toBe(401);
  });

  test('where to get a token is told to anybody, and the same for targets that are not there', async () => {
    const about = async (path: string) => {
      const response = await fetch(new URL(`/.well-known/oauth-protected-resource${path}`, front.url));
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect(await about('/mcp')).toMatchObject({
      status: 200,
      resource: front.url.href,
      authorization_servers: [front.gateway.issuer.issuer],
    });
    const [there, nowhere] = [await about('/mcp/shop'), await about('/mcp/none')];
    expect({ ...nowhere, resource: `${front.url.href}/shop` }).toEqual(there);
  });
});

test('a flood of wrong proofs on one connection fills no journal', async () => {
  const one = `POST /mcp HTTP/1.1\r\nHost: ${front.url.host}\r\nAuthorization: Bearer flood\r\nContent-Length: 0\r\n`;
  const before = await journalled();
  const socket = connect({ host: front.url.hostname, port: Number(front.url.port) });
  let answers = 0;
  let seen = '';
  const all = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      seen = (seen + chunk.toString('latin1')).slice(-1_000);
      answers += chunk.toString('latin1').split('HTTP/1.1 401').length - 1;
      if (answers < 60) socket.write(`${one}\r\n`);
      else resolve();
    });
  });
  socket.write(`${one}\r\n`);
  await all;
  socket.destroy();
  expect((await journalled()) - before).toBe(20);
});

/** Refused proofs in the gateway's journal. */
async function journalled(): Promise<number> {
  const root = join(front.gateway.dir, 'recordings');
  const names = await readdir(root, { recursive: true });
  const journal =
    names
      .filter((name) => /(^|\/)gateway-[^/]*\.sluice$/.test(name))
      .sort()
      .at(-1) ?? '';
  const bytes = await readFile(join(root, journal));
  return bytes.toString('latin1').split('auth.refused').length - 1;
}

describe('a page in a browser gets nothing done, even with a token', () => {
  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1evil',
    'localhost:80@evil.example',
    '[::1].evil.example',
    '0.0.0.0',
    '2130706433',
    '',
  ])('that has its own name point here: Host %j', async (host) => {
    const { status, text } = await post(listing, { host });
    expect([400, 403]).toContain(status);
    expect(text).not.toMatch(/list_targets/);
  });

  test.each(['https://evil.example', 'null', 'http://localhost', 'http://127.0.0.1:1', 'https://127.0.0.1', 'file://'])(
    'of another origin: Origin %s',
    async (origin) => {
      const { status, text } = await post(listing, { headers: [`Origin: ${origin}`] });
      expect(status).toBe(403);
      expect(text).not.toMatch(/list_targets|access-control/i);
    },
  );

  test('of two origins at once', async () => {
    const headers = [`Origin: http://${front.url.host}`, 'Origin: https://evil.example'];
    expect([400, 403]).toContain((await post(listing, { headers })).status);
  });

  test('asking first (CORS preflight)', async () => {
    const headers = ['Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
    const { status, text } = await post('', { line: 'OPTIONS /mcp', headers, authorization: [] });
    expect(status).toBe(403);
    expect(text).not.toMatch(/access-control-allow/i);
  });

  test('with a form or a plain text, for which browsers do not ask first', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status } = await raw(
        ['POST /mcp HTTP/1.1', `Host: ${front.url.host}`, `Authorization: Bearer ${token}`, `Content-Type: ${type}`],
        listing,
      );
      expect(status).toBe(415);
    }
  });
});

describe('another way of writing the path leads nowhere', () => {
  test.each([
    '/mcp/',
    '/MCP',
    '//mcp',
    '/./mcp',
    '/mcp/../mcp',
    '/%6dcp',
    '/mcp%00',
    '/mcp;x',
    '/mcp?',
    '/mcp/shop/',
    '/mcp/%73hop',
  ])('%s', async (path) => {
    const { status } = await post(listing, { line: `POST ${path}` });
    expect([400, 404]).toContain(status);
  });

  test.each(['GET', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'TRACE', 'post'])(
    'and no other method does: %s',
    async (method) => {
      const { status } = await post(listing, { line: `${method} /mcp` });
      expect([400, 405]).toContain(status);
    },
  );
});

describe('a message that two readers could take for two things is refused', () => {
  const call = (sql: string) => ({ name: 'query', arguments: { target: 'shop', sql } });

  test.each<[string, string | Buffer]>([
    ['a batch', `[${message('tools/call', call('SELECT 1'))},${message('tools/call', call('SELECT 2'), 1)}]`],
    ['an empty batch', '[]'],
    ['a member twice', `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`],
    [
      'an argument twice',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"target":"shop","target":"other","sql":"SELECT 1"}}}`,
    ],
    ['a byte order mark', `\ufeff${listing}`],
    ['bytes that are no UTF-8', Buffer.from(listing.replace('tools', 't\u00ffols'), 'latin1')],
    ['UTF-16', Buffer.from(listing, 'utf16le')],
    ['a comment', `/* */ ${listing}`],
    ['two documents', `${listing}${listing}`],
    ['nothing', ''],
    ['a prototype', `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"__proto__":{"x":1}}}}`],
    ['nesting without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['an answer to nothing', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['no method', '{"jsonrpc":"2.0","id":1}'],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["tools/list"]}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}'],
    ['five megabytes', `${listing}${' '.repeat(5_000_000)}`],
  ])('%s', async (_, body) => {
    const { status, text } = await post(body);
    expect([400, 413]).toContain(status);
    expect(text).not.toMatch(/list_targets|"status":"done"/);
  });

  test.each([
    'resources/list',
    'resources/read',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
    'tasks/list',
    'subscriptions/listen',
    'sampling/createMessage',
    'tools/Call',
    'tools/call ',
    'query',
    '__proto__',
    'constructor',
  ])('a method that is not here: %s', async (method) => {
    const { text } = await post(message(method, call('SELECT 1')));
    expect(text).toMatch(/-32601/);
  });

  test.each(['notifications/tools/list_changed', 'notifications/message', 'tools/call'])(
    'a notification that asks for something: %s',
    async (method) => {
      const { text } = await post(JSON.stringify({ jsonrpc: '2.0', method, params: call('SELECT 1') }));
      expect(text).not.toMatch(/"status":"done"/);
    },
  );

  test.each<[string, object]>([
    ['constructor', { target: 'shop', sql: 'SELECT 1', constructor: {} }],
    ['an argument of another operation', { target: 'shop', sql: 'SELECT 1', command: 'id' }],
    ['a text where a number is due', { target: 'shop', sql: 'SELECT 1', max_rows: '5' }],
    ['a list of targets', { target: ['shop'], sql: 'SELECT 1' }],
    ['a NUL in the statement', { target: 'shop', sql: 'SELECT 1\0' }],
    ['a claim without end', { target: 'shop', sql: 'SELECT 1', intent: 'x'.repeat(100_000) }],
  ])('arguments that do not fit: %s', async (_, args) => {
    const { text } = await post(message('tools/call', { name: 'query', arguments: args }));
    expect(text).toMatch(/"code":"arguments"/);
  });

  test.each(['SHOP', 'shop ', ' shop', 'sh\u043ep', 'shop\u200b', '../shop', 'shop/../shop', '__proto__'])(
    'a target that only looks like one: %j',
    async (target) => {
      expect(await client.call('query', { target, sql: 'SELECT 1' })).toMatchObject({ code: 'unknown_target' });
    },
  );
});

describe("ids of somebody else's are worth nothing", () => {
  test('a session id of the protocol gives nothing to whoever sends it, and nothing is made from it', async () => {
    const headers = ['Mcp-Session-Id: 00000000-0000-0000-0000-000000000000'];
    const { status, text } = await post(
      message('initialize', {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      }),
      { headers },
    );
    expect(status).toBe(200);
    expect(text).not.toMatch(/mcp-session-id/i);
  });

  test('an access request and a session can be seen by whose they are, alone', async () => {
    const pending = await client.call('query', { target: 'shop', sql: 'DELETE FROM app.people WHERE id = 1' });
    expect(pending).toMatchObject({ status: 'pending' });
    const other = await front.as(people.other);
    expect(await other.call('request_status', { request: pending['request'] })).toMatchObject({
      code: 'unknown_request',
    });
    expect((await other.call('list_my_sessions', {})).result).toEqual({ sessions: [] });
    for (const request of ["' OR 1=1 --", '%', 'req_', '../x']) {
      expect(await other.call('request_status', { request })).toMatchObject({ code: 'unknown_request' });
    }
  });

  test('an approval is good for the identical call of the same principal, and not for one that differs', async () => {
    const sql = 'DELETE FROM app.people WHERE id = $1';
    const call = (id: number, more: object = {}) =>
      client.call('query', { target: 'shop', sql, parameters: [id], ...more });
    const { request } = await call(301);
    await (await front.gateway.apiAs(people.dba)).approve(String(request));
    const other = await front.as(people.other);
    const [mine, theirs] = [await call(302), await other.call('query', { target: 'shop', sql, parameters: [301] })];
    for (const answer of [mine, theirs]) expect(answer).toMatchObject({ status: 'pending' });
    expect(await call(301, { parameters: ['301 '] })).toMatchObject({ status: 'pending' });
    expect(await call(301)).toMatchObject({ status: 'done', result: { command: 'DELETE 1' } });
    const left = await front.postgres.sql('SELECT id FROM app.people WHERE id IN (301, 302)');
    expect(left).toEqual([{ id: 302 }]);
  });
});

describe('what may not be had in the protocol of the target may not be had here', () => {
  const query = (sql: string, parameters: unknown[] = []) => client.call('query', { target: 'shop', sql, parameters });

  test.each([
    ['a table that is forbidden', 'SELECT secret FROM app.secrets'],
    ['through a function', "SELECT query_to_xml('SELECT * FROM app.secrets', true, false, '')"],
    ['in a subquery', 'SELECT 1 WHERE EXISTS (SELECT 1 FROM app.secrets)'],
    ['a masked value by comparing it', "SELECT id FROM app.people WHERE email > 'm'"],
    ['a masked value by its order', 'SELECT id FROM app.people ORDER BY email'],
    ['by copying it', 'INSERT INTO app.scratch (note) SELECT email FROM app.people'],
    ['by explaining it', 'EXPLAIN ANALYZE SELECT * FROM app.secrets'],
  ])('%s', async (_, sql) => {
    expect(await query(sql)).toMatchObject({ isError: true, status: 'denied' });
  });

  test('a mask can not be written back over the value', async () => {
    const seen = await query('SELECT email FROM app.people WHERE id = 5');
    const mask = (seen.result['rows'] as string[][])[0]?.[0];
    expect(await query('UPDATE app.people SET email = $1 WHERE id = 5', [mask])).toMatchObject({ status: 'denied' });
  });

  test('a value computed from a masked one says nothing of it', async () => {
    const answer = await query("SELECT left(email, 5), length(email), email || '!' FROM app.people WHERE id = 5");
    expect(JSON.stringify(answer)).not.toMatch(/mail5/);
  });

  test('an error of the database says nothing of a masked value', async () => {
    const answer = await query('SELECT email::int FROM app.people WHERE id = 5');
    expect(JSON.stringify(answer)).not.toMatch(/mail5/);
  });

  test('nothing is carried from one call into the next that the next does not say', async () => {
    await query('PREPARE gone AS SELECT 1');
    expect(await query('EXECUTE gone')).toMatchObject({ isError: true });
    await query('SET search_path = pg_catalog');
    expect(await query('BEGIN')).toMatchObject({ isError: true, status: 'failed' });
    expect(await query('SELECT id FROM app.people WHERE id = 5')).toMatchObject({ status: 'done' });
  });

  test('what a target says changes no tool', async () => {
    const before = await client.tools();
    await query(`SELECT 'notifications/tools/list_changed', '{"jsonrpc":"2.0","method":"tools/list"}'`);
    expect(await client.tools()).toEqual(before);
  });
});

describe('the address of one target', () => {
  const secretFor = async (uses?: number) => {
    const api = await front.gateway.apiAs(people.agent);
    const issued = await api.issueAccessCredential({ target: 'shop', ...(uses === undefined ? {} : { uses }) });
    return { ...issued, bearer: `Bearer ${issued.id}:${issued.secret}` };
  };
  const at = (path: string, bearer: string, name: string, args: object) =>
    post(message('tools/call', { name, arguments: args }), { line: `POST ${path}`, authorization: [bearer] });

  test('takes an access credential for it, and for no other', async () => {
    const { bearer } = await secretFor();
    const { status, text } = await at('/mcp/shop', bearer, 'query', { target: 'shop', sql: 'SELECT 40 + 2' });
    expect(status).toBe(200);
    expect(text).toMatch(/\[\[42\]\]/);
    expect((await at('/mcp/other', bearer, 'query', { target: 'shop', sql: 'SELECT 1' })).status).toBe(401);
    expect((await at('/mcp/shop', `${bearer}x`, 'query', { target: 'shop', sql: 'SELECT 1' })).status).toBe(401);
  });

  test('takes one that was used up or revoked no more', async () => {
    const once = await secretFor(1);
    expect((await at('/mcp/shop', once.bearer, 'list_targets', {})).status).toBe(200);
    expect((await at('/mcp/shop', once.bearer, 'list_targets', {})).status).toBe(401);
    const revoked = await secretFor();
    await (await front.gateway.apiAs(people.agent)).revokeAccessCredential(revoked.id);
    expect((await at('/mcp/shop', revoked.bearer, 'list_targets', {})).status).toBe(401);
  });

  test('does nothing on a connection whose credential was revoked after it was let in', async () => {
    const { id, secret } = await secretFor();
    const there = new URL('/mcp/shop', front.url);
    const kept = await front.at(there, `${id}:${secret}`);
    const call = () => kept.call('query', { target: 'shop', sql: 'SELECT 1' });
    const tells = () => kept.call('list_my_sessions', {}).catch((error: Error) => ({ refused: error.message }));
    expect(await call()).toMatchObject({ status: 'done' });
    expect(JSON.stringify(await tells())).toContain('"target":"shop"');
    await (await front.gateway.apiAs(people.agent)).revokeAccessCredential(id);
    const after = await call().catch((error: Error) => ({ refused: error.message }));
    expect(after).not.toMatchObject({ status: 'done' });
    expect(JSON.stringify(await tells())).not.toContain('"target":"shop"');
  });

  test('has nothing of other targets, whoever asks', async () => {
    const bearer = `Bearer ${token}`;
    const elsewhere = await at('/mcp/none', bearer, 'query', { target: 'shop', sql: 'SELECT 1' });
    expect(elsewhere.text).toMatch(/unknown_target/);
    expect((await at('/mcp/none', bearer, 'list_targets', {})).text).toMatch(/"targets":\[\]/);
    expect((await at('/mcp/none', bearer, 'list_my_sessions', {})).text).toMatch(/"sessions":\[\]/);
  });
});
