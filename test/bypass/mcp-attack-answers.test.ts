// What answers of MCP servers could carry past the gateway: its own credential, and labelled values in places where a
// label does not point at them directly. One way per row, phrased as what is to come of it. Rows are never removed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { RawMcp } from '../harness/mcp-clients.ts';
import { answer, createHostileMcp, type HostileMcp, stream, tool } from '../harness/mcp-hostile.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const user = { sub: 'uma', groups: ['agents'] };
const policies = `
@id("agents") permit (principal, action in [Action::"connect", Action::"read", Action::"execute"], resource);
@id("no-opaque") forbid (principal, action == Action::"mcp:opaque", resource);
`;
/** With what JSON, URLs and base64 write in other ways. */
const secret = 'tok/en+of"the=gateway?1';
const wage = '90210.55';

const targets = Array.from({ length: 60 }, (_, n) => `kind${n}`);
let gateway: AnyGateway;
let server: HostileMcp;
let next = 0;
let before: readonly string[] = [];

beforeAll(async () => {
  server = await createHostileMcp();
  gateway = await createAnyGateway({
    listen: ['mcp'],
    targets: targets.map((name) => ({
      name,
      connector: 'mcp',
      address: `127.0.0.1:${server.port}`,
      tls: 'disable',
      credential: { header: 'file:header' },
      header_name: 'x-key',
    })),
    files: { header: secret },
    policies,
    masking: {
      labels: {
        'hr.wage': [
          '*.a.wage',
          '*.a.[].wage',
          '*.a.person.wage',
          '*.a.note.wage',
          '*.a.the wage',
          '*.a.плата',
          '*.a.list.wage',
        ],
      },
    },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

beforeEach(async () => {
  before = await sessionRecordings(gateway.dir);
});

/** Asks the one tool `a`, which answers with these messages, the last of them a result or an error. */
async function asked(
  messages: readonly Record<string, unknown>[],
): Promise<{ readonly told: string; readonly raw: RawMcp }> {
  server.play([tool('a')], ({ method, id, params }, response) => {
    if (method !== 'tools/call' && method !== 'resources/read' && method !== 'prompts/get') return false;
    const last = messages.length - 1;
    const meta = params['_meta'] as { progressToken?: unknown } | undefined;
    const all = messages.map((message, n) => ({ jsonrpc: '2.0', ...(n === last ? { id } : {}), ...message }));
    const text = JSON.stringify(all).replaceAll('"TOKEN"', JSON.stringify(meta?.progressToken ?? 0));
    const sent = JSON.parse(text) as object[];
    return sent.length === 1 ? answer(response, sent[0]) : stream(response, ...sent);
  });
  const { host, port } = gateway.at('mcp');
  const raw = new RawMcp(new URL(`http://${host}:${port}/mcp/${targets[next++]}`), await gateway.token(user));
  await raw.open();
  const params = { name: 'a', arguments: {}, _meta: { progressToken: 'mine' } };
  const reply = await raw.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
  expect(reply.status).toBe(200);
  return { told: JSON.stringify(reply.messages), raw };
}

async function events(): Promise<readonly RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for (const path of await sessionRecordings(gateway.dir)) {
    if (!before.includes(path)) all.push(...(await recordedEvents(path)));
  }
  return all;
}

const text = (...texts: readonly string[]): Record<string, unknown> => ({
  result: { content: texts.map((each) => ({ type: 'text', text: each })) },
});
const structured = (structuredContent: unknown, ...texts: readonly string[]): Record<string, unknown> => ({
  result: { content: texts.map((each) => ({ type: 'text', text: each })), structuredContent },
});
const note = (data: unknown): Record<string, unknown> => ({
  method: 'notifications/message',
  params: { level: 'info', data },
});
const done = text('done');
/** The last of so many, in words, too. */
const many = (count: number): Record<string, unknown> => {
  const wages = Array.from({ length: count }, (_, n) => ({ wage: n + 1 < count ? `${70_000 + n}.11` : wage }));
  return structured({ list: wages, wage }, JSON.stringify(wages), `The last is ${wage}.`);
};

describe('the credential of the gateway stays with it, however a target echoes it', () => {
  test.each<[string, readonly Record<string, unknown>[]]>([
    ['in text', [text(`x-key: ${secret}`)]],
    ['in JSON within text', [text(JSON.stringify({ env: { KEY: secret } }))]],
    ['in JSON within JSON within text', [text(JSON.stringify({ env: JSON.stringify({ KEY: secret }) }))]],
    ['in a URL', [text(`https://x.example/?key=${encodeURIComponent(secret)}`)]],
    ['in base64', [text(Buffer.from(secret).toString('base64'))]],
    ['in structured content', [structured({ headers: { 'x-key': secret } })]],
    ['as the name of a member', [structured({ [secret]: true })]],
    ['in an error of a tool', [{ result: { isError: true, content: [{ type: 'text', text: `bad key ${secret}` }] } }]],
    ['in an error of the protocol', [{ error: { code: -32000, message: `bad key ${secret}`, data: { secret } } }]],
    ['in what it logs', [note({ key: secret }), done]],
    ['in who logs it', [{ method: 'notifications/message', params: { level: 'info', logger: secret, data: 1 } }, done]],
    [
      'in its progress',
      [{ method: 'notifications/progress', params: { progressToken: 'TOKEN', progress: 1, message: secret } }, done],
    ],
    [
      'in a link',
      [{ result: { content: [{ type: 'resource_link', uri: 'x:///y', name: secret, description: secret }] } }],
    ],
  ])('%s', async (_, messages) => {
    const { told, raw } = await asked(messages);
    await raw.leave();
    const recorded = JSON.stringify(await events());
    for (const seen of [told, recorded]) {
      expect(seen).not.toContain('en+of');
      expect(seen).not.toContain('the=gateway');
      expect(seen).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
      expect(seen).not.toContain(encodeURIComponent(secret));
    }
    expect(recorded).toContain('the credential of the gateway');
  });
});

describe('a labelled value is hidden', () => {
  test.each<[string, Record<string, unknown>]>([
    ['behind a list in a document that breaks off', text(`{"b": [1], "wage": "${wage}", oops}`)],
    ['behind an object in a document that breaks off', text(`{"b": {"c": 1}, "wage": ${wage}, oops}`)],
    ['in an object of a document that breaks off', text(`{"person": {"wage": "${wage}"}, oops}`)],
    ['in an object of a list that breaks off', text(`[{"wage": "${wage}"}, {"wage": "${wage}"}, oops`)],
    ['in the name of a member of a document that breaks off', text(`{"${wage}": {}, "wage": [], oops}`)],
    ['in what is left of a document without its beginning', text(`"person": {"wage": 1}, "wage": ${wage}}`)],
    ['in one line of a document', text(`  "wage": "${wage}",`)],
    ['under a name of several words in a document that breaks off', text(`{"b": [1], "the wage": ${wage}, oops}`)],
    ['under a name in other letters in a document that breaks off', text(`{b: [1], плата: ${wage}, oops}`)],
    ['as a negative number in a document that breaks off', text(`{b: [1], wage: -${wage}, oops}`)],
    ['behind more brackets than are looked at', text(`${'['.repeat(2_500)}{"person": {"wage": ${wage}}}`)],
    ['as one of more values than are looked for', many(2_600)],
    ['in words before the document that tells which it is', text(`It is ${wage}.`, `{"wage": "${wage}"}`)],
    ['in words behind the document that tells which it is', text(`{"wage": "${wage}"}`, `It is ${wage}.`)],
    ['beside its own place in one document', structured({ note: `It is ${wage}.`, wage })],
    ['beside its own place in one document of text', text(JSON.stringify({ note: `It is ${wage}.`, wage }))],
    ['as the name of a member beside its own place', structured({ [wage]: 1, wage })],
    ['in an error beside its own place', { error: { code: 1, message: `not ${wage}`, data: { wage } } }],
    ['as a number in text, and as text in a document', structured({ wage: Number(wage) }, `It is ${wage}.`)],
    [
      'in a resource beside its own place',
      {
        result: {
          content: [
            { type: 'resource', resource: { uri: `x:///${wage}`, text: `It is ${wage}.` } },
            { type: 'resource_link', uri: 'x:///y', name: wage, description: wage },
          ],
          structuredContent: { wage },
        },
      },
    ],
  ])('%s', async (_, message) => {
    const { told } = await asked([message]);
    expect(told).not.toContain(wage);
    expect(told).not.toContain('90210');
  });

  test.each<[string, unknown]>([
    ['a document', { wage }],
    ['a document as text', JSON.stringify({ wage })],
    ['a document that breaks off', `{"wage": "${wage}", oops`],
  ])('in what is logged along the way as %s', async (_, data) => {
    const { told } = await asked([note(data), done]);
    expect(told).not.toContain(wage);
  });

  test('in what is said of progress', async () => {
    const params = { progressToken: 'TOKEN', progress: 1, message: JSON.stringify({ wage }) };
    const { told } = await asked([{ method: 'notifications/progress', params }, done]);
    expect(told).toContain('progress');
    expect(told).not.toContain(wage);
  });
});
