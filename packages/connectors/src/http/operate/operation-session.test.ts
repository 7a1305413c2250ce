// The operation as its callers see it, over a session that allows everything but what the test says, and an API that is
// a function.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Outcome, Session } from '@sluice/core/contract/session.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { dialSocket } from '@sluice/server/network/dial.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { interpretText } from '../interpret.ts';
import { httpTarget } from '../target-form.ts';
import { openOperationSession } from './operation-session.ts';

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

const labels = { of: () => [], all: () => [] };
const target = httpTarget('crm', {});
const grounds = { labels, target: (name: string) => (name === 'crm' ? target : undefined) };

interface Opened {
  readonly judged: Unit[];
  readonly refused: string[];
  request(input: JsonObject, run?: RunContext): Promise<unknown>;
}

async function opened(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  judge: (unit: Unit) => 'allow' | 'deny' | 'hold' = () => 'allow',
): Promise<Opened> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const dial = async () => ({
    socket: await dialSocket('crm', { host: '127.0.0.1', port, tls: { mode: 'disable' } }),
    tls: 'disable' as const,
    credential: { username: '', secrets: {} },
    settings: {},
    address: 'api.internal',
  });
  const judged: Unit[] = [];
  const refused: string[] = [];
  const same = <T>(value: T): { value: T; labels: string[]; masked: boolean } => ({ value, labels: [], masked: false });
  const session = {
    info: { id: 'ses_1', target: { name: 'crm' } },
    upstream: await dial(),
    dial,
    texts: {
      text: (text: string) => same(text.replaceAll('secret', '***')),
      json: same,
      jsonText: (text: string) => ({
        value: text.replaceAll('secret', '***'),
        labels: [],
        masked: text.includes('secret'),
      }),
      stream: () => ({ push: (bytes: Uint8Array) => bytes, end: () => new Uint8Array(0), labels: [], masked: false }),
    },
    hides: () => [],
    judge: (unit: Unit): Outcome => {
      judged.push(unit);
      const effect = judge(unit);
      const handle = { seq: judged.length };
      if (effect === 'allow')
        return { effect, handle, permit: { unit: handle.seq, session: 'ses_1' }, obligations: [], masked: new Set() };
      const denial = {
        decision: effect,
        reason: 'no',
        policies: ['p'],
        hint: 'ask',
        ...(effect === 'hold' ? { request: 'req_1', url: 'http://x' } : {}),
      };
      return { effect: 'deny', handle, denial };
    },
    would: () => 'allow',
    carryOut: <T>({ unit }: { unit: number }, act: (unit: Unit) => T): T => act(judged[unit - 1] as Unit),
    discard: () => {},
    refuse: (_name: string, text: string) => {
      refused.push(text);
      return { seq: 0 };
    },
    flush: () => true,
    record: () => {},
    sawLabels: () => {},
    recorderBehind: false,
    onRecorderReady: () => {},
    onLeaving: () => {},
    onEnd: () => {},
    end: () => {},
  } as unknown as Session;
  const opening = { principal: {} as never, target: 'crm', onHold: () => {}, gone: new Promise<void>(() => {}) };
  const opened = await openOperationSession(grounds, opening, async () => session);
  undo.push(() => {
    opened.close();
    server.closeAllConnections();
    server.close();
  });
  const signal = new AbortController().signal;
  return {
    judged,
    refused,
    request: (input, run = { run: 'r', intent: 'prüfen' }) => opened.call('request', input, run, signal),
  };
}

describe('the operation "request"', () => {
  test('gives an answer in JSON back, masked', async () => {
    const seen: string[] = [];
    const { request, judged } = await opened((asked, response) => {
      seen.push(`${asked.method} ${asked.url} ${asked.headers.host} ${asked.headers['x-whatever']}`);
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'x-a': '1' });
      response.end('{"name": "secret", "id": 12345678901234567890}');
    });
    const result = await request({
      method: 'POST',
      path: '/v1/a',
      query: { q: 'a b&c', x: 'é' },
      headers: { 'X-Whatever': '1', Accept: 'application/json' },
      body: { a: 1 },
    });
    expect(result).toMatchObject({
      outcome: 'done',
      value: {
        status: 201,
        body: { name: '***', id: '12345678901234567890' },
        truncated: false,
        headers: { 'x-a': '1' },
      },
    });
    expect(JSON.stringify(result)).not.toContain('set-cookie');
    expect(seen).toEqual(['POST /v1/a?q=a%20b%26c&x=%C3%A9 api.internal undefined']);
    expect(judged[0]).toMatchObject({
      run: { run: 'r', intent: 'prüfen' },
      actions: [{ verb: 'http:write', access: 'write' }],
    });
    expect(judged[0]?.actions[0]?.context['query']).toEqual(
      new Map([
        ['q', 'a b&c'],
        ['x', 'é'],
      ]),
    );
  });

  test('passes on a claim of the trace that is one, and nothing that would be more than that', async () => {
    const seen: (string | undefined)[][] = [];
    const { request } = await opened((asked, response) => {
      seen.push([asked.headers['traceparent'] as string | undefined, asked.headers['x-evil'] as string | undefined]);
      response.end();
    });
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    for (const traceparent of [trace, `${trace}\r\nx-evil: 1`, 'x\ny', 'any words', '\u010a']) {
      const intent = 'one line\r\nx-evil: 1';
      expect(await request({ method: 'GET', path: '/' }, { traceparent, intent })).toMatchObject({ outcome: 'done' });
    }
    expect(seen).toEqual([[trace, undefined], ...Array.from({ length: 4 }, () => [undefined, undefined])]);
  });

  test('shows header fields of any name as what they are', async () => {
    const { request } = await opened((_asked, response) => {
      response.setHeader('constructor', '1');
      response.setHeader('__proto__', '2');
      response.end();
    });
    const { value } = (await request({ method: 'GET', path: '/' })) as { value: { headers: Record<string, string> } };
    expect(Object.entries(value.headers)).toContainEqual(['constructor', '1']);
    expect(JSON.stringify(value)).not.toContain('native code');
  });

  test('cuts what is too long, and says so', async () => {
    const { request } = await opened((_asked, response) => {
      response.setHeader('content-type', 'text/plain');
      response.end('x'.repeat(1_000_000));
    });
    const result = (await request({ method: 'GET', path: '/' })) as { value: { text: string; truncated: boolean } };
    expect(result.value.text.length).toBe(256 * 1024);
    expect(result.value.truncated).toBe(true);
  });

  test('tells refusals and holds as they are', async () => {
    for (const effect of ['deny', 'hold'] as const) {
      const { request } = await opened(
        (_asked, response) => response.end(),
        () => effect,
      );
      expect(await request({ method: 'GET', path: '/' })).toMatchObject({
        outcome: 'refused',
        denial: { decision: effect },
      });
    }
  });

  test.each<[string, JsonObject]>([
    ['another member', { method: 'GET', path: '/', url: 'http://x' }],
    ['no path', { method: 'GET' }],
    ['a URL', { method: 'GET', path: 'http://x/' }],
    ['a line end in the path', { method: 'GET', path: '/a\r\nx: y' }],
    ['a line end in a header', { method: 'GET', path: '/', headers: { a: 'b\r\nc: d' } }],
    ['a header that is no text', { method: 'GET', path: '/', headers: { a: 1 } }],
    ['a query in two places', { method: 'GET', path: '/?a=1', query: { b: '2' } }],
    ['a query that is a list', { method: 'GET', path: '/', query: ['a'] }],
    ['dots', { method: 'GET', path: '/a/%2e%2e/b' }],
    ['another method by a header', { method: 'POST', path: '/', headers: { 'X-HTTP-Method-Override': 'DELETE' } }],
    ['an unknown method', { method: 'TRACE', path: '/' }],
    ['a body of a GET', { method: 'GET', path: '/', body: {} }],
  ])('with %s fails, and nothing is judged', async (_name, input) => {
    const { request, judged } = await opened((_asked, response) => response.end());
    expect(await request(input)).toMatchObject({ outcome: 'failed', code: 'bad_request' });
    expect(judged).toEqual([]);
  });
});

describe('a text', () => {
  test('means what it would mean if it were sent', async () => {
    const unit = await interpretText(grounds, 'crm', 'post /v1/a?b=c\n\n{"amount": 5}');
    expect(unit.actions).toMatchObject([
      {
        verb: 'http:write',
        text: 'POST /v1/a?b=c\n\n{"amount": 5}',
        resources: [{ type: 'Endpoint', id: 'crm/v1/a' }],
      },
    ]);
    expect(unit.actions[0]?.context['numbers']).toEqual(new Map([['/amount', 5]]));
  });

  test.each(['', 'SELECT 1', 'GET', 'GET a', 'TRACE /', 'GET /..', 'POST /a\n{"a":1,"a":2}'])(
    '%j has no meaning',
    async (text) => {
      await expect(interpretText(grounds, 'crm', text)).rejects.toMatchObject({ code: 'client_protocol' });
    },
  );
});
