// The recording of a session, made through the wire: every statement with its decision before its effect, everything the
// client saw as it saw it, and evidence that does not survive being touched.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  describe as describeMessage,
  execute,
  message,
  parse,
  query,
  RawPostgres,
  shown,
  sync,
} from '../harness/raw-postgres.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const secret = 'ada@example.com';
const policies = `
@id("use") permit (principal, action in [Action::"connect", Action::"read", Action::"write", Action::"gateway:view"], resource);
@id("no-drop") @reason("Nothing is dropped here") forbid (principal, action == Action::"sql:drop", resource);
`;
/** What the session says, one conversation after the other, each up to a ReadyForQuery. */
const conversations: readonly (readonly [Buffer[], string[]])[] = [
  [[query('SELECT id, email FROM people ORDER BY id')], ['T', 'D', 'D', 'C:SELECT 2', 'Z:I']],
  [[query('DROP TABLE people')], ['E:42501', 'Z:I']],
  [[query('SELECT 1/0')], ['E:22012', 'Z:I']],
  [
    [query("INSERT INTO people VALUES (3, 'x@example.org'); SELECT 2 AS two /* run='r-1',step='4' */")],
    ['C:INSERT 0 1', 'T', 'D', 'C:SELECT 1', 'Z:I'],
  ],
  [
    [
      parse('', 'SELECT id FROM people WHERE id = $1'),
      bind('', '', ['3']),
      describeMessage('P', ''),
      execute(''),
      sync,
    ],
    ['1', '2', 'T', 'D', 'C:SELECT 1', 'Z:I'],
  ],
  [[query('COPY people TO STDOUT')], ['H', 'd', 'd', 'd', 'c', 'C:COPY 3', 'Z:I']],
];

let postgres: TestPostgres;
let gateway: TestGateway;
let path: string;
let id: string;
let events: RecordedEvent[];

beforeAll(async () => {
  postgres = await createTestPostgres({
    log: true,
    init: `CREATE TABLE people (id int, email text); INSERT INTO people VALUES (1, '${secret}'), (2, NULL)`,
  });
  gateway = await createTestGateway({ postgres, policies, labels: { pii: ['shop.public.people.email'] } });
  const client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
  for (const [parts, expected] of conversations) {
    client.send(...parts);
    expect((await client.until('Z')).map(shown)).toEqual(expected);
  }
  client.send(query('COPY people FROM STDIN'));
  await client.until('G');
  client.send(message('d', Buffer.from('4\tin@example.org\n')), message('d', Buffer.from('5\t\\N\n')), message('c'));
  expect((await client.until('Z')).map(shown)).toEqual(['C:COPY 2', 'Z:I']);
  client.send(message('X'));
  expect(await client.rest()).toEqual([]);
  const api = await gateway.apiAs({ sub: 'auditor' });
  await vi.waitUntil(async () => (await api.sessions({ live: true })).items.length === 0);
  [path = ''] = await sessionRecordings(gateway.dir);
  id = (await api.sessions()).items[0]?.id ?? '';
  events = await recordedEvents(path);
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

/** Events about one statement, by its text. */
function about(text: string): RecordedEvent[] {
  const action = events.find((event) => event['type'] === 'action' && String(event['text']).includes(text));
  const at = events.indexOf(action ?? {});
  const next = events.findIndex(
    (event, index) => index > at && event['type'] === 'action' && (event['text'] as string[]).length > 0,
  );
  return events.slice(at, next < 0 ? undefined : next);
}

describe('the recording of a session', () => {
  test('begins with who and where, and ends with why and a seal', () => {
    expect(events[0]).toMatchObject({
      type: 'header',
      session: id,
      principal: { kind: 'agent', subject: 'agent' },
      target: { name: 'shop' },
    });
    expect(events[1]).toMatchObject({ type: 'action', name: 'connect', effect: 'allow', policies: ['use'] });
    expect(events.at(-2)).toMatchObject({ type: 'end', reason: 'client_closed', lost: 0, counts: { denied: 1 } });
    expect(events.at(-1)).toMatchObject({ type: 'seal', events: events.length - 1 });
  });

  test('has every statement in order, with its decision before its outcome', () => {
    const texts = events
      .filter((event) => event['type'] === 'action')
      .map(({ name, text, effect }) => [name, (text as string[]).join('; '), effect]);
    expect(texts).toEqual([
      ['connect', 'connect to shop', 'allow'],
      ['Query', 'SELECT id, email FROM people ORDER BY id', 'allow'],
      ['Query', 'DROP TABLE people', 'deny'],
      ['Query', 'SELECT 1/0', 'allow'],
      ['Query', expect.stringMatching(/^INSERT INTO people .*; SELECT 2 AS two/), 'allow'],
      ['Parse', 'SELECT id FROM people WHERE id = $1', 'allow'],
      ['Bind', 'SELECT id FROM people WHERE id = $1', 'allow'],
      ['Execute', '', 'allow'],
      ['Query', 'COPY people TO STDOUT', 'allow'],
      ['Query', 'COPY people FROM STDIN', 'allow'],
    ]);
    const units = new Set<unknown>();
    for (const event of events) {
      if (event['type'] === 'action') units.add(event['unit']);
      else if (event['unit'] !== undefined) expect(units.has(event['unit'])).toBe(true);
    }
  });

  test('names policies and reasons of what was refused', () => {
    const [refused] = about('DROP TABLE');
    expect(refused).toMatchObject({
      effect: 'deny',
      policies: ['no-drop'],
      reasons: [{ policy: 'no-drop', text: 'Nothing is dropped here' }],
      actions: [{ verb: 'sql:drop', access: 'admin', resources: ['Table::shop/public/people'] }],
    });
  });

  test('shows rows as the client saw them, masked', () => {
    const found = about('SELECT id, email');
    expect(found.map(({ type }) => type)).toEqual(['action', 'shape', 'rows', 'complete']);
    expect(found[1]).toMatchObject({
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'email', type: 'text', masked: ['pii'] },
      ],
    });
    const rows = found[2]?.['rows'] as string[][];
    expect(rows.map(([number]) => number)).toEqual(['1', '2']);
    expect(rows[1]?.[1]).toBeNull();
    expect(found[3]).toMatchObject({ tag: 'SELECT 2', rows: 2 });
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  test('has the error the server gave, and what was claimed about the run', () => {
    expect(about('SELECT 1/0').at(-1)).toMatchObject({ type: 'error', code: '22012', source: 'upstream' });
    expect(about('INSERT INTO people')[0]).toMatchObject({ run: { run: 'r-1', step: '4' } });
  });

  test('has parameters, and rows of COPY in both directions', () => {
    expect(events.find(({ name }) => name === 'Bind')).toMatchObject({ parameters: ['3'] });
    expect(events.find(({ name }) => name === 'Execute')).toMatchObject({ continues: expect.any(Number) });
    const out = about('COPY people TO').filter(({ type }) => type === 'rows');
    expect(out.flatMap(({ rows }) => rows as string[][])).toHaveLength(3);
    const into = about('COPY people FROM').filter(({ type }) => type === 'input');
    expect(into.map(({ data }) => data).join('')).toBe('4\tin@example.org\n5\t\\N\n');
  });

  test('holds every statement of the client that the server logged', async () => {
    const recorded = events.flatMap((event) => (event['text'] as string[] | undefined) ?? []).join('\n');
    const logged = (await postgres.statements()).filter(({ text }) => /people|1\/0/.test(text));
    expect(logged.length).toBeGreaterThan(5);
    for (const { text } of logged.slice(2))
      for (const part of text.split('; ')) expect(recorded).toContain(part.replace(/;$/, ''));
  });
});

describe('the command', () => {
  const sluice = async (...args: string[]) => {
    const env = { SLUICE_API: gateway.api, SLUICE_TOKEN: await gateway.token({ sub: 'auditor' }) };
    return runCommand(args, { cwd: gateway.dir, env });
  };

  test('replays it, from the gateway and from the file', async () => {
    const live = await sluice('sessions', 'replay', id);
    expect(live, live.stderr).toMatchObject({ code: 0 });
    for (const part of [
      'SELECT id, email FROM people',
      'no-drop',
      'Nothing is dropped here',
      'division by zero',
      'COPY people TO STDOUT',
    ]) {
      expect(live.stdout).toContain(part);
    }
    expect(live.stdout).not.toContain(secret);
    const offline = await runCommand(['sessions', 'replay', path], { cwd: gateway.dir });
    expect(offline).toMatchObject({ code: 0, stdout: live.stdout });
  });

  test('exports it line by line', async () => {
    const { code, stdout } = await sluice('sessions', 'export', id, '--format', 'jsonl');
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
  });

  test('verifies it, and finds any byte that was changed', { timeout: 120_000 }, async () => {
    const whole = await runCommand(['audit', 'verify', gateway.dir], { cwd: gateway.dir });
    expect(whole, whole.stdout + whole.stderr).toMatchObject({ code: 0 });
    const bytes = await readFile(path);
    try {
      for (const part of [0.05, 0.5, 0.95]) {
        const changed = Buffer.from(bytes);
        const at = Math.floor(bytes.length * part);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(path, changed);
        const found = await runCommand(['audit', 'verify', path, '--json'], { cwd: gateway.dir });
        expect(found.code).toBe(1);
        expect(JSON.parse(found.stdout)).toMatchObject({ ok: false });
      }
      await writeFile(path, bytes.subarray(0, bytes.length - 40));
      expect((await runCommand(['audit', 'verify', gateway.dir], { cwd: gateway.dir })).code).toBe(1);
    } finally {
      await writeFile(path, bytes);
    }
    await writeFile(join(gateway.dir, 'copy-of-a-recording'), bytes);
  });
});
