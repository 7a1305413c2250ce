// Requests that name things so that the gateway and an API could take them for different ones: methods in bodies,
// fields whose names some servers fold, types that servers guess. Raw bytes to a real gateway; each row says what must
// happen, and what is refused must not arrive.
import { FormData, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, json, startApi, startCrm } from '../harness/http-api.ts';
import { type AskedRaw, askRaw, type RawAnswer } from '../harness/raw-http.ts';

/** Everything but deleting, a parameter and GraphQL mutations; payments up to 100. */
const policies = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("read") permit (principal, action == Action::"http:read", resource)
  unless { context.query.hasTag("role") && context.query.getTag("role") == "admin" };
@id("write") permit (principal, action == Action::"http:write", resource);
@id("query") permit (principal, action == Action::"http:graphql.query", resource);
@id("small") forbid (principal, action == Action::"http:write", resource == Endpoint::"crm/payments")
  unless { context.numbers.hasTag("/amount") && context.numbers.getTag("/amount") <= 100 };
`;

let api: Api;
let gateway: AnyGateway;
let token: string;

beforeAll(async () => {
  api = await startApi((_request, response) => json(response, { ok: true }));
  gateway = await startCrm(api, { policies, target: { graphql_paths: ['/graphql'], repeated_parameters: 'join' } });
  token = await gateway.token({ sub: 'worker' });
});

afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

async function ask(asked: Omit<AskedRaw, 'token'>): Promise<{ answer: RawAnswer; arrived: readonly string[] }> {
  const before = api.seen.length;
  const answer = await askRaw(gateway, { ...asked, token });
  return { answer, arrived: api.seen.slice(before).map(({ method, url }) => `${method} ${url}`) };
}

const post = (type: string | undefined, body: string, path = '/notes/1'): ReturnType<typeof ask> =>
  ask({ method: 'POST', path, body, headers: type === undefined ? [] : [`content-type: ${type}`] });

describe('another method', () => {
  const multipart = 'multipart/form-data; boundary=XyZ';
  const part = (disposition: string): string =>
    `--XyZ\r\nContent-Disposition: ${disposition}\r\n\r\nDELETE\r\n--XyZ--\r\n`;

  test.each([
    ['in a document', 'application/json', '{"_method": "DELETE"}'],
    ['in a document, in capitals', 'application/json', '{"a": 1, "_METHOD": "DELETE"}'],
    ['in a document, escaped', 'application/vnd.api+json', '{"\\u005fmethod": "DELETE"}'],
    ['in a form as a list', 'application/x-www-form-urlencoded', '_method[]=DELETE'],
    ['in a form in UTF-7', 'application/x-www-form-urlencoded; charset=utf-7', '%2BAF8-method=DELETE'],
    ['in parts', multipart, part('form-data; name="_method"')],
    ['in parts, without quotes', multipart, part('form-data; name=_method')],
    ['in parts, escaped', multipart, part('form-data; name="_meth\\od"')],
    ['in parts, in pieces', multipart, part('form-data; name*0="_met"; name*1="hod"')],
    ['in parts that are no form', 'multipart/related; boundary=XyZ', part('form-data; name="_method"')],
    ['in parts behind another boundary', `${multipart}; boundary=Abc`, part('form-data; name="_method"')],
  ])('%s is not asked for', async (_name, type, body) => {
    const { answer, arrived } = await post(type, body);
    expect(arrived).toEqual([]);
    expect(answer.status).toBe(400);
  });

  test('is not found in a body without a type, where some servers expect a form', async () => {
    for (const type of [undefined, '']) {
      const { answer, arrived } = await post(type, '_method=DELETE');
      expect(arrived).toEqual(['POST /notes/1']);
      expect(answer.status).toBe(200);
      expect(api.seen.at(-1)?.headers['content-type']).toBe('application/octet-stream');
    }
  });

  test('is not what a file is called, or speaks of', async () => {
    const { host, port } = gateway.at('http');
    const form = new FormData();
    form.set('title', 'x');
    form.set('file', new Blob(['name="_method"\r\n\r\n_method=DELETE'], { type: 'text/plain' }), '_method.txt');
    const before = api.seen.length;
    const answer = await request(`http://${host}:${port}/t/crm/notes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    await answer.body.dump();
    expect(answer.statusCode).toBe(200);
    expect(api.seen.slice(before).map(({ body }) => body.includes('_method=DELETE'))).toEqual([true]);
  });
});

describe('a member', () => {
  test.each([
    ['in capitals beside it', '{"amount": 5, "AMOUNT": 5000}'],
    ['in capitals in front of it', '{"Amount": 5000, "amount": 5}'],
    ['with a letter that folds into one of its own', '{"amount": 5, "amoun\\uff54": 5000}'],
    ['deep within', '{"amount": 5, "x": [{"to": "a", "To": "b"}]}'],
  ])('is not there twice: %s', async (_name, body) => {
    const { answer, arrived } = await post('application/json', body, '/payments');
    expect(arrived).toEqual([]);
    expect(answer.status).toBe(400);
  });

  test.each([
    '{"AMOUNT": 5000}',
    '{"amount ": 5}',
    '{"amount": [5000]}',
    '{"amount": {"value": 5}}',
    '{"amount": null}',
  ])('that is called otherwise is not the one that policy asks for: %s', async (body) => {
    const { answer, arrived } = await post('application/json', body, '/payments');
    expect(arrived).toEqual([]);
    expect(answer.status).toBe(403);
  });
});

describe('a parameter', () => {
  test.each([
    ['in capitals', '/notes?role=user&ROLE=admin'],
    ['behind a blank', '/notes?role=user&%20role=admin'],
    ['behind a blank, alone', '/notes?+role=admin'],
    ['in front of a blank', '/notes?role=user&role+=admin'],
    ['as a list', '/notes?role=user&role[]=admin'],
    ['as an object', '/notes?role[0]=admin&role=user'],
    ['as a list, encoded', '/notes?role=user&role%5b%5d=admin'],
    ['with a dot for a line', '/notes?a.role=user&a_role=admin'],
    ['with a letter that folds into one of its own', '/notes?role=user&rol%EF%BD%85=admin'],
  ])('is not there twice: %s', async (_name, path) => {
    const { answer, arrived } = await ask({ path });
    expect(arrived).toEqual([]);
    expect(answer.status).toBe(400);
  });

  test.each([
    ['twice', '/notes?role=user&role=user'],
    ['as an object with members', '/notes?filter[a]=1&filter[b]=2&sort=a'],
    ['with separators that are none', '/notes?x=1;role=admin'],
  ])('arrives as it was judged: %s', async (_name, path) => {
    const { arrived } = await ask({ path });
    expect(arrived).toEqual([`GET ${path.replace(';', '%3B')}`.replace('%3Brole=', '%3Brole%3D')]);
  });

  test('of a form is not there twice', async () => {
    const { answer, arrived } = await post('application/x-www-form-urlencoded', 'role=user&role[]=admin');
    expect(arrived).toEqual([]);
    expect(answer.status).toBe(400);
  });
});

test.each(['/GraphQL', '/GRAPHQL/', '/graphq%4C'])('GraphQL at %s is understood as such', async (path) => {
  const { answer, arrived } = await post('application/json', '{"query": "mutation { drop }"}', path);
  expect(arrived).toEqual([]);
  expect(answer.status).toBe(403);
});
