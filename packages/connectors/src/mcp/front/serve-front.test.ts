import type { Operations } from '@sluice/core/contract/operations.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpExchange, HttpReply } from '../../wire/http/exchange.ts';
import type { Visit } from '../exchange.ts';
import { serveFront } from './serve-front.ts';

const principal: Principal = {
  kind: 'agent',
  id: 'i#bot',
  issuer: 'i',
  subject: 'bot',
  displayName: 'bot',
  groups: [],
  chain: [],
  expiresAt: 1,
};

interface Told {
  status: number;
  text: string;
}

/** What one request is answered, by a front whose operations note what reaches them. */
async function ask(
  body: string | Uint8Array,
  more: { readonly method?: string; readonly bodyBytes?: number; readonly call?: Operations['call'] } = {},
): Promise<Told & { readonly calls: readonly unknown[]; readonly failures: readonly unknown[] }> {
  const calls: unknown[] = [];
  const failures: unknown[] = [];
  const operations: Operations = {
    declared: [
      {
        name: 'run',
        title: 'Run',
        doc: 'Runs.',
        input: {
          type: 'object',
          properties: { command: { type: 'string', maxLength: 100 } },
          required: ['command'],
          additionalProperties: false,
        },
        output: { type: 'object' },
        readOnly: false,
      },
    ],
    targets: () => [{ target: { name: 'web', connector: 'x', tags: [] }, operations: ['run'] }],
    call:
      more.call ??
      (async (_caller, target, name, input) => {
        calls.push([target, name, input]);
        return { outcome: 'done', value: {} };
      }),
    request: async () => undefined,
    sessions: async () => [],
  };
  const quiet = () => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: (fields: object) => failures.push(fields) };
  const serve = serveFront({ operations, log, bodyBytes: more.bodyBytes ?? 10_000 });
  const told: Told = { status: 0, text: '' };
  const respond = ({ status }: { readonly status: number }): HttpReply => {
    told.status = status;
    const write = async (bytes?: Uint8Array): Promise<void> => {
      told.text += Buffer.from(bytes ?? []).toString();
    };
    return { write, end: write, abort: quiet };
  };
  const exchange: HttpExchange = {
    version: '1.1',
    method: more.method ?? 'POST',
    path: '/mcp',
    authority: 'localhost',
    headers: [
      ['content-type', 'application/json'],
      ['accept', 'application/json, text/event-stream'],
    ],
    origin: { remote: '127.0.0.1:1', loopback: true, secure: false },
    hasBody: true,
    body: (async function* () {
      yield Buffer.from(body);
    })(),
    gone: new AbortController().signal,
    responded: false,
    respond,
    answer: (head, bytes) => respond(head).end(bytes),
  };
  const unused = () => Promise.reject(new Error('not used here'));
  const identity = {
    bearer: unused,
    scramVerifier: unused,
    proves: unused,
    redeem: unused,
    isCredentialId: () => false,
  };
  const visit: Visit = { exchange, who: { principal }, admission: { identity, open: unused, refused: quiet } };
  await serve(visit);
  return { ...told, calls, failures };
}

const call = (args: unknown, name = 'run', id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

describe('a request', () => {
  test('reaches the operation as it was checked, without what belongs to the gateway', async () => {
    const { calls, text } = await ask(call({ target: 'web', command: 'ls', intent: 'look', run: 'r', step: 's' }));
    expect(calls).toEqual([['web', 'run', { command: 'ls' }]]);
    expect(text).toMatch(/"status":"done"/);
  });

  test('of any content is answered, and reaches an operation only with arguments that fit', async () => {
    const values = fc.jsonValue({ maxDepth: 3 });
    const message = fc.oneof(
      values.map((value) => JSON.stringify(value)),
      fc
        .record({
          method: fc.constantFrom('tools/call', 'tools/list', 'initialize', 'ping', 'x'),
          params: values,
          id: values,
        })
        .map((parts) => JSON.stringify({ jsonrpc: '2.0', ...parts })),
      values.map((args) => call(args)),
      fc.record({ target: values, command: values, other: values }, { requiredKeys: [] }).map((args) => call(args)),
      fc.uint8Array({ maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(message, async (body) => {
        const { status, calls, failures } = await ask(body);
        expect([200, 202, 400]).toContain(status);
        expect(failures).toEqual([]);
        for (const [target, name, input] of calls as [unknown, string, Record<string, unknown>][]) {
          expect([typeof target, name, Object.keys(input)]).toEqual(['string', 'run', ['command']]);
          expect(typeof input['command']).toBe('string');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('that is too large, or no POST, is refused', async () => {
    expect(await ask(call({ target: 'web', command: 'ls' }), { bodyBytes: 50 })).toMatchObject({
      status: 413,
      calls: [],
    });
    for (const method of ['GET', 'DELETE', 'PUT']) {
      expect(await ask(call({ target: 'web', command: 'ls' }), { method })).toMatchObject({ status: 405, calls: [] });
    }
  });

  test('whose operation breaks is told nothing of how', async () => {
    const broken = () => Promise.reject(new Error('hunter2 at 10.0.0.1'));
    const { text, failures } = await ask(call({ target: 'web', command: 'ls' }), { call: broken });
    expect(text).toMatch(/"code":"internal"/);
    expect(text).not.toMatch(/hunter2/);
    expect(failures).toHaveLength(1);
  });
});
