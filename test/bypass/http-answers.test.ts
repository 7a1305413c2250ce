// Answers that would carry a labelled value, or the client, past the gateway: each row is a way, through a real gateway,
// from an API that says whatever the row wants.
import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { apiToken, startCrm } from '../harness/http-api.ts';

const secret = 'ada-lovelace-1815';
const mail = 'ada.lovelace@example.com';
const policies = `
@id("all") permit (principal, action, resource) unless { [Action::"http:opaque", Action::"reveal"].contains(action) };
@id("trusted") permit (principal in Group::"trusted", action, resource);
`;

let server: Server;
const sockets = new Set<Socket>();
let gateway: AnyGateway;
let base: string;
let token: string;
let trusted: string;
/** What the API answers next. */
let answer: readonly (string | Buffer)[] = [];
/** What arrived since it was last emptied. */
let got = '';

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      for (const piece of answer) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  gateway = await startCrm({ port } as never, {
    policies,
    target: { host: 'api.internal', graphql_paths: ['/graphql'] },
    masking: { labels: { 'pii.key': ['crm.**.key'] }, detect_text: ['pii.email'] },
  });
  const { host, port: at } = gateway.at('http');
  base = `http://${host}:${at}/t/crm`;
  token = await gateway.token({ sub: 'worker', groups: ['workers'] });
  trusted = await gateway.token({ sub: 'boss', groups: ['trusted'] });
});

afterAll(async () => {
  await gateway?.stop();
  for (const socket of sockets) socket.destroy();
  server?.close();
});

/** Everything that the client is given, broken off or not. */
async function told(who: string, path = '/x', headers: Record<string, string> = {}): Promise<string> {
  try {
    const {
      statusCode,
      headers: fields,
      body,
    } = await request(`${base}${path}`, {
      headers: { authorization: `Bearer ${who}`, ...headers },
    });
    let text = '';
    try {
      for await (const chunk of body) text += Buffer.from(chunk).toString('latin1');
    } catch {
      text += '[broken off]';
    }
    return `${statusCode} ${JSON.stringify(fields)} ${text}`;
  } catch {
    return '[broken off]';
  }
}

function whole(type: string, body: string | Buffer, ...headers: string[]): readonly (string | Buffer)[] {
  const bytes = Buffer.from(body as string);
  const head = [
    'HTTP/1.1 200 OK',
    ...(type === '' ? [] : [`content-type: ${type}`]),
    `content-length: ${bytes.length}`,
    ...headers,
  ];
  return [`${head.join('\r\n')}\r\n\r\n`, bytes];
}

const json = JSON.stringify({ key: secret });

describe('a labelled value', () => {
  test.each<[string, readonly (string | Buffer)[]]>([
    ['as JSON', whole('application/json', json)],
    ['deep in it', whole('application/json', `[[{"a":{"key":["${secret}"]}}]]`)],
    ['with its name escaped', whole('application/json', `{"\\u006bey":"${secret}"}`)],
    ['twice', whole('application/json', `{"key":"x","key":"${secret}"}`)],
    ['in problem details', whole('application/problem+json', json)],
    ['in JSON of a vendor', whole('application/vnd.api+json; charset=utf-8', json)],
    ['in JSON with a byte order mark', whole('application/json', `\ufeff${json}`)],
    ['in JSON that is broken', whole('application/json', `${json},`)],
    ['in JSON behind a prefix', whole('application/json', `)]}'\n${json}`)],
    ['in two documents', whole('application/json', `${json}\n${json}`)],
    ['in JSON in UTF-16', whole('application/json; charset=utf-16', Buffer.from(json, 'utf16le'))],
    ['in JSON that is too deep', whole('application/json', `${'['.repeat(1000)}${json}${']'.repeat(1000)}`)],
    ['in packed JSON', whole('application/json', gzipSync(json), 'content-encoding: gzip')],
    ['as text', whole('text/plain', json)],
    ['as HTML', whole('text/html', json)],
    ['as CSV', whole('text/csv', `key\n${secret}`)],
    ['as a script', whole('application/javascript', `callback(${json})`)],
    ['as XML', whole('application/xml', `<key>${secret}</key>`)],
    ['without a type', whole('', json)],
    ['with two types in one', whole('application/json, text/plain', json)],
    ['as bytes', whole('application/octet-stream', json)],
    ['as a form', whole('application/x-www-form-urlencoded', `key=${secret}`)],
    ['in parts', whole('multipart/mixed; boundary=x', `--x\r\ncontent-type: application/json\r\n\r\n${json}\r\n--x--`)],
    ['in lines', whole('application/x-ndjson', `{"a":1}\n${json}\n`)],
    ['in a line that is broken', whole('application/x-ndjson', `{"a":1}\n{"key":"${secret}"\n`)],
    ['in the last line', whole('application/x-ndjson', `{"a":1}\n${json}`)],
    ['in an event', whole('text/event-stream', `data: ${json}\n\n`)],
    ['in an event on two lines', whole('text/event-stream', `data: {"key":\ndata: "${secret}"}\n\n`)],
    ['in an event without an end', whole('text/event-stream', `data: ${json}`)],
    ['in an event that is no JSON', whole('text/event-stream', `data: key=${secret}\n\n`)],
    ['in an event that is broken JSON', whole('text/event-stream', `data: {key: "${secret}"}\n\n`)],
    ['in an event with line ends of another kind', whole('text/event-stream', `data: ${json}\r\rdata: x\r\r`)],
    [
      'in a part of a document',
      [
        'HTTP/1.1 206 Partial Content\r\ncontent-type: application/json\r\ncontent-range: bytes 0-30/99\r\n',
        `content-length: ${json.length}\r\n\r\n`,
        json,
      ],
    ],
    [
      'in an error',
      ['HTTP/1.1 500 Oops\r\ncontent-type: application/json\r\n', `content-length: ${json.length}\r\n\r\n`, json],
    ],
    ['behind the end of an answer', [...whole('application/json', '{}'), json]],
    [
      'in a trailer',
      [
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n',
        `x-key: ${secret}\r\n\r\n`,
      ],
    ],
    ['in a reason phrase', [`HTTP/1.1 200 ${secret}\r\ncontent-length: 0\r\n\r\n`]],
    [
      'in an early answer',
      [`HTTP/1.1 103 Early Hints\r\nlink: <${secret}>\r\n\r\n`, ...whole('application/json', '{}')],
    ],
  ])('%s does not come through', async (_name, bytes) => {
    answer = bytes;
    expect(await told(token)).not.toContain(secret);
  });

  test.each<[string, readonly (string | Buffer)[]]>([
    ['as JSON', whole('application/json', json)],
    ['as text', whole('text/plain', json)],
    ['in an event', whole('text/event-stream', `data: ${json}\n\n`)],
    ['in lines', whole('application/x-ndjson', `${json}\n`)],
  ])('%s comes to whoever may see it', async (_name, bytes) => {
    answer = bytes;
    expect(await told(trusted)).toContain(secret);
  });

  test('under another name that GraphQL gives it is refused', async () => {
    answer = whole('application/json', `{"data":{"x":"${secret}"}}`);
    got = '';
    expect(await told(token, `/graphql?query=${encodeURIComponent('{ x: key }')}`)).toMatch(/^403 .*sluice:exposure/s);
    expect(got).toBe('');
    expect(await told(trusted, `/graphql?query=${encodeURIComponent('{ x: key }')}`)).toContain(secret);
  });

  test('is not sent back in a write as its mask', async () => {
    answer = whole('application/json', json);
    const masked = /"key":"?([^"}]*)/.exec((await told(token)).replaceAll('\\"', '"'))?.[1] ?? '';
    expect(masked).not.toBe('');
    got = '';
    for (const type of ['application/json', 'text/plain', 'application/octet-stream']) {
      const { statusCode, body } = await request(`${base}/x`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body: `{"key":"${masked}"}`,
      });
      await body.text().catch(() => {});
      expect(statusCode).toBeGreaterThanOrEqual(400);
    }
    expect(got).not.toContain(masked);
  });
});

describe('a value that is known by its look', () => {
  test.each(['x-mail', 'link', 'set-cookie', 'location', 'etag', 'www-authenticate', 'content-disposition'])(
    'does not come through in %s',
    async (name) => {
      answer = whole('application/json', '{}', `${name}: "${mail}"`);
      expect(await told(token)).not.toContain(mail);
    },
  );
});

describe('an answer', () => {
  const redirect = (location: string, ...more: string[]): readonly string[] => [
    `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n${more.map((line) => `${line}\r\n`).join('')}\r\n`,
  ];

  test.each([
    ['http://api.internal/v1?x=1', '/t/crm/v1?x=1'],
    ['https://API.internal/v1', '/t/crm/v1'],
    ['//api.internal/v1', '/t/crm/v1'],
    ['http://api.internal', '/t/crm/'],
    ['/v1', '/t/crm/v1'],
    ['v1', 'v1'],
    ['https://elsewhere.example/', 'https://elsewhere.example/'],
  ])('that leads to %s leads the client to %s', async (from, to) => {
    answer = redirect(from);
    expect(await told(token)).toContain(`"location":"${to}"`);
  });

  test.each([
    'alt-svc: h2="10.0.0.1:443"',
    'strict-transport-security: max-age=1',
    'clear-site-data: "*"',
    'connection: x-evil',
    'sluice-decision: allow',
    'proxy-authenticate: Basic',
    'upgrade: h2c',
  ])('speaks not for the gateway: %s', async (line) => {
    answer = whole('application/json', '{}', line);
    const [name = '', value = ''] = line.split(': ');
    expect(await told(token)).not.toContain(JSON.stringify({ [name]: value }).slice(1, -1));
  });

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    ],
    ['a line end within a field', 'HTTP/1.1 200 OK\r\nx: a\rset-cookie: evil=1\r\ncontent-length: 0\r\n\r\n'],
    ['no HTTP', 'garbage\r\n\r\n'],
    ['nothing', ''],
    [
      'a bomb',
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n${gzipSync(Buffer.alloc(80_000_000, 0x20)).toString('latin1')}`,
    ],
  ])('with %s is told as the target’s failure', async (_name, bytes) => {
    answer = [bytes];
    const text = await told(token);
    expect(text).toMatch(/^502 /);
    expect(text).not.toContain('evil');
  });

  test('never has the gateway’s own credential in it, and none is asked for of the client', async () => {
    answer = ['HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm="api"\r\ncontent-length: 0\r\n\r\n'];
    const text = await told(token);
    expect(text).toMatch(/^401 /);
    expect(text).not.toContain(apiToken);
  });
});
