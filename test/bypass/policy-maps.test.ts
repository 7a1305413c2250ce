// Ways to get a value past a policy that reads it in a body: every row goes through a real gateway to a real API, which
// tells what reached it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';

const policies = `
@id("connect") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("small-refunds") permit (principal, action == Action::"http:write", resource == Endpoint::"shop/refunds")
when { context.numbers.hasTag("/amount") && context.numbers.getTag("/amount") <= 100 };
@id("orders") permit (principal, action == Action::"http:write", resource == Endpoint::"shop/orders");
@id("orders-are-drafts") forbid (principal, action == Action::"http:write", resource == Endpoint::"shop/orders")
unless { context.body.hasTag("/state") && context.body.getTag("/state") == "draft" };
@id("one-at-a-time") permit (principal, action == Action::"http:write", resource == Endpoint::"shop/batch")
when { !context.body_opaque && context.body.hasTag("/items/0") && !context.body.hasTag("/items/1") };
`;

let target: Server;
let gateway: AnyGateway;
let token: string;
let reached: string[];

beforeAll(async () => {
  target = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      reached.push(Buffer.concat(chunks).toString('utf8'));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}');
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  gateway = await createAnyGateway({
    listen: ['http'],
    targets: [{ name: 'shop', connector: 'http', address: `127.0.0.1:${port}`, tls: 'disable' }],
    policies,
  });
  token = await gateway.token({ sub: 'robin', kind: 'agent', groups: [] });
}, 120_000);
beforeEach(() => {
  reached = [];
});
afterAll(async () => {
  await gateway.stop();
  target.close();
});

async function send(path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  const { host, port } = gateway.at('http');
  const response = await fetch(`http://${host}:${port}/t/shop${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  });
  await response.text();
  return response.status;
}

test('what the policy means is allowed, and reaches the API as it was sent', async () => {
  const bodies = ['{"amount":100}', ' { "amount" : -5, "note": "x" }\n', '{"note":{"amount":1000},"amount":1}'];
  for (const body of bodies) expect(await send('/refunds', body), body).toBe(200);
  expect(await send('/orders', '{"state":"draft","total":10000}')).toBe(200);
  expect(reached).toEqual([...bodies, '{"state":"draft","total":10000}']);
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };

test.each<[string, string | Uint8Array, Record<string, string>?]>([
  ['more than the policy permits', '{"amount":101}'],
  ['no amount', '{}'],
  ['the amount as a text', '{"amount":"5"}'],
  ['a fraction', '{"amount":100.5}'],
  ['an amount beyond what is exact', '{"amount":-9007199254740993}'],
  ['an amount in a list', '{"amount":[5]}'],
  ['a list of amounts', '[{"amount":5}]'],
  ['an amount one level down', '{"data":{"amount":5}}'],
  ['two amounts, the small one last', '{"amount":5000,"amount":5}'],
  ['two amounts, the small one first', '{"amount":5,"amount":5000}'],
  ['two amounts, one spelled with an escape', '{"amount":5,"\\u0061mount":5000}'],
  ['another case', '{"Amount":5}'],
  ['an amount of nothing', '{"amount":null}'],
  ['an amount that is true', '{"amount":true}'],
  ['a member that looks like the pointer', '{"/amount":5}'],
  ['a member that looks like an escaped pointer', '{"~1amount":5}'],
  ['a number with zeros in front', '{"amount":005}'],
  ['a number that is none', '{"amount":NaN}'],
  ['a comment', '{"amount":5/*000*/}'],
  ['two documents', '{"amount":5}{"amount":5000}'],
  ['a byte order mark', '\ufeff{"amount":5}'],
  ['an exponent beyond the bound', '{"amount":1e3}'],
  ['bytes that are no UTF-8', Buffer.from([...Buffer.from('{"amount":5,"x":"'), 0xff, ...Buffer.from('"}')])],
  ['a form where JSON is meant', 'amount=5', form],
  ['JSON under another name', '{"amount":5}', { 'content-type': 'application/octet-stream' }],
  ['a compressed large amount', gzipSync('{"amount":5000}'), { 'content-encoding': 'gzip' }],
  ['a small amount, said to be compressed', '{"amount":5}', { 'content-encoding': 'gzip' }],
  ['the amount behind more entries than policy takes', `{"x":[${'0,'.repeat(10_001)}0],"amount":5}`],
  ['an entry with half a character', '{"amount":5,"x":"\\ud800"}'],
])('a refund with %s is refused, and nothing reaches the API', async (_, body, headers) => {
  const status = await send('/refunds', body, headers);
  expect([400, 403, 413, 415]).toContain(status);
  expect(reached).toEqual([]);
});

test.each<[string, string, Record<string, string>?]>([
  ['no state', '{}'],
  ['another state', '{"state":"paid"}'],
  ['a list of states', '{"state":["draft"]}'],
  ['two states', '{"state":"draft","state":"paid"}'],
  ['two states, one spelled with an escape', '{"state":"draft","st\\u0061te":"paid"}'],
  ['a state with a blank', '{"state":"draft "}'],
  ['a form with two states', 'state=draft&state=paid', form],
  ['a form of lists', 'state[]=draft', form],
  ['a body of other bytes', 'state: draft', { 'content-type': 'application/x-yaml' }],
])('an order with %s is refused, and nothing reaches the API', async (_, body, headers) => {
  const status = await send('/orders', body, headers);
  expect([400, 403, 415]).toContain(status);
  expect(reached).toEqual([]);
});

test.each<[string, string | Uint8Array, Record<string, string>?]>([
  ['two items', '{"items":[1,2]}'],
  ['none', '{"items":[]}'],
  ['a second item behind more entries than policy takes', `{"items":[1],"x":[${'0,'.repeat(10_001)}0],"items":[1,2]}`],
  ['more entries than policy takes', `{"x":[${'0,'.repeat(10_001)}0],"items":[1,2]}`],
  ['a first item longer than policy takes', `{"items":["${'x'.repeat(70_000)}",2]}`],
  ['a second item longer than policy takes', `{"items":[1,"${'x'.repeat(70_000)}"]}`],
  ['other bytes', Buffer.from([1, 2, 3]), { 'content-type': 'application/octet-stream' }],
])('a batch with %s is refused, and nothing reaches the API', async (_, body, headers) => {
  const status = await send('/batch', body, headers);
  expect([400, 403, 413, 415]).toContain(status);
  expect(reached).toEqual([]);
});

test('a batch of one is allowed', async () => {
  expect(await send('/batch', '{"items":[1]}')).toBe(200);
});

test.each(['{"items":[1,[]]}', '{"items":[1,{}]}', '{"items":[1,{"id":2}]}'])(
  'a batch of more is denied: %s',
  async (body) => {
    expect(await send('/batch', body)).toBe(403);
  },
);
