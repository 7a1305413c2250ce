// Ways to find out, or to get in another form, what an API's answers have masked: lengths, entity tags, ranges, other
// types and charsets of the same document. A real gateway in front of an API that serves one customer in every form.
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, type SeenRequest, startApi, startCrm } from '../harness/http-api.ts';
import { type AskedRaw, askRaw, type RawAnswer } from '../harness/raw-http.ts';

const name = 'Adelheid Quirin';
const email = 'ada.lovelace@example.com';
const customer = JSON.stringify({ id: 1, name, email });
const tagOf = (text: string): string => `"${createHash('sha1').update(text).digest('base64')}"`;

const policies = `
@id("all") permit (principal, action, resource)
  unless { [Action::"http:opaque", Action::"reveal"].contains(action) };
@id("reveal") permit (principal in Group::"trusted", action in [Action::"reveal", Action::"http:opaque"], resource);
`;

/** Forms of the customer by path: type and body. */
const forms: Readonly<Record<string, readonly [type: string, body: string | Buffer]>> = {
  '/as/text': ['text/plain', customer],
  '/as/html': ['text/html; charset=utf-8', `<script>var x = ${customer}</script>`],
  '/as/bytes': ['application/octet-stream', customer],
  '/as/nothing': ['', customer],
  '/as/two-types': ['application/json, text/plain', customer],
  '/as/jsonp': ['application/javascript', `callback(${customer})`],
  '/as/json-utf16': ['application/json; charset=utf-16', Buffer.from(customer, 'utf16le')],
  '/as/json-utf7': ['application/json; charset=utf-7', customer],
  '/as/json-in-utf16': ['application/json', Buffer.from(`\ufeff${customer}`, 'utf16le')],
  '/as/json-seq': ['application/json-seq', `\x1e${customer}\n`],
  '/as/json-behind-a-guard': ['application/json', `)]}',\n${customer}`],
  '/as/two-documents': ['application/json', `{}\n${customer}`],
  '/as/json-with-a-comment': ['application/json', `/* */${customer}`],
  '/as/lines-cut': ['application/x-ndjson', customer.replace('"email"', '\n"email"')],
  '/as/lines-in-utf16': ['application/x-ndjson', Buffer.from(`${customer}\n`, 'utf16le')],
  '/as/csv': ['text/csv', `id,name,email\n1,${name},${email}\n`],
  '/as/xml': ['application/xml', `<customer><name>${name}</name></customer>`],
  '/as/xml-utf16': ['text/xml; charset=utf-16', Buffer.from(`<name>${name}</name>`, 'utf16le')],
  '/as/parts': ['multipart/mixed; boundary=x', `--x\r\ncontent-type: application/json\r\n\r\n${customer}\r\n--x--`],
  '/as/event-text': ['text/event-stream', `data: name=${name}\n\n`],
  '/as/event-comment': ['text/event-stream', `: ${customer}\n\n`],
  '/as/event-id': ['text/event-stream', `id: ${customer}\ndata: {}\n\n`],
  '/as/event-field': ['text/event-stream', `data : ${customer}\n\n`],
  '/as/event-lines': ['text/event-stream', `data: {"id": 1,\ndata: "name": "${name}"}\n\n`],
  '/as/event-returns': ['text/event-stream', `data: ${customer}\r\rdata: ${customer}\r\r`],
  '/as/events-in-utf16': ['text/event-stream; charset=utf-16', Buffer.from(`data: ${customer}\n\n`, 'utf16le')],
};

let api: Api;
let gateway: AnyGateway;
let token: string;
let trusted: string;

function answer({ url, headers }: SeenRequest, response: ServerResponse): void {
  const path = url.split('?')[0] ?? '';
  const form = forms[path];
  if (form) {
    if (form[0] !== '') response.setHeader('content-type', form[0]);
    response.end(form[1]);
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.setHeader('etag', tagOf(customer));
  if (headers['if-none-match'] === tagOf(customer)) response.writeHead(304).end();
  else if (headers['if-match'] !== undefined && headers['if-match'] !== tagOf(customer)) response.writeHead(412).end();
  else if (headers.range !== undefined) {
    const from = Number(/^bytes=(\d+)-/.exec(headers.range)?.[1]);
    if (from >= customer.length) {
      response.writeHead(416, { 'content-range': `bytes */${customer.length}` }).end();
    } else {
      const range = `bytes ${from}-${customer.length - 1}/${customer.length}`;
      response.writeHead(206, { 'content-range': range }).end(customer.slice(from));
    }
  } else response.writeHead(200, { 'content-length': customer.length }).end(customer);
}

beforeAll(async () => {
  api = await startApi(answer);
  gateway = await startCrm(api, {
    policies,
    masking: { labels: { 'pii.email': ['crm.**.email'], 'pii.name': ['crm.**.name'] }, detect_text: ['pii.email'] },
  });
  token = await gateway.token({ sub: 'worker' });
  trusted = await gateway.token({ sub: 'ada', groups: ['trusted'] });
});

afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

const ask = (asked: Omit<AskedRaw, 'token'>, proof = token): Promise<RawAnswer> =>
  askRaw(gateway, { ...asked, token: proof });

function expectHidden({ text }: RawAnswer): void {
  for (const secret of [name, email, 'Quirin', 'lovelace']) {
    expect(text).not.toContain(secret);
    expect(text.replaceAll('\0', '')).not.toContain(secret);
  }
}

describe('a masked document', () => {
  test.each(Object.keys(forms))('is not given in clear %s', async (path) => {
    expectHidden(await ask({ path }));
  });

  test('is given in clear to who may see it', async () => {
    expect((await ask({ path: '/customer' }, trusted)).body).toBe(customer);
  });

  test('has no entity tag and not the length of what is under the masks', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await ask({ path: '/customer', method });
      expect(status).toBe(200);
      expect(headers['etag']).toBeUndefined();
      expect(headers['content-length']).not.toBe(String(customer.length));
    }
  });

  test('does not tell by 304 whether it is what somebody thinks', async () => {
    for (const guess of [customer, customer.replace(name, 'Somebody Else')]) {
      for (const method of ['GET', 'HEAD']) {
        const headers = [`if-none-match: ${tagOf(guess)}`];
        expect((await ask({ path: '/customer', method, headers })).status).toBe(200);
      }
    }
  });

  test.each(['if-match', 'if-none-match'])(
    'does not tell by %s of a write whether it is what somebody thinks',
    async (field) => {
      for (const guess of [customer, customer.replace(name, 'Somebody Else')]) {
        const before = api.seen.length;
        const headers = [`${field}: ${tagOf(guess)}`, 'content-type: application/json'];
        const { status, text } = await ask({ path: '/customer', method: 'PUT', headers, body: '{}' });
        expect([status, api.seen.length]).toEqual([403, before]);
        expect(text).toContain('sluice:exposure');
      }
    },
  );

  test('may be written where it is, or is not, and by those who may see it under any condition', async () => {
    const headers = (value: string): string[] => [`if-match: ${value}`, 'content-type: application/json'];
    const put = { path: '/other', method: 'PUT', body: '{}' };
    expect((await ask({ ...put, headers: ['if-none-match: *', 'content-type: application/json'] })).status).toBe(200);
    expect((await ask({ ...put, headers: headers(tagOf(customer)) }, trusted)).status).toBe(200);
  });

  test.each(['bytes=0-', 'bytes=40-', 'bytes=70-', 'bytes=100000-', 'bytes=-5'])(
    'does not tell by the range %s how long it is',
    async (range) => {
      const got = await ask({ path: '/customer', headers: [`range: ${range}`, 'if-range: "x"'] });
      expect(got.status).toBe(200);
      expect(got.headers['content-range']).toBeUndefined();
      expectHidden(got);
    },
  );
});
