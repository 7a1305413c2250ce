// What a row of a large result costs, counted, and that it is masked, limited and recorded whatever chunks it comes in.
import * as partial from '@sluice/core/masking/partial.ts';
import { RecordingWriter } from '@sluice/core/recording/writer.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cstring, message, query } from '../harness/raw-postgres.ts';
import { allocated } from './allocated.ts';
import { createRig, dataRow, type Rig, type RigSession, ready, rowDescription, selected } from './postgres-rig.ts';

const policies = `
@id("agents-read") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("few") @limit_rows("600") permit (principal, action in Action::"read", resource in Table::"shop/public/logs");
`;
const many = 1_000;
type Described = readonly [string, number, number, number];

let postgres: TestPostgres;
let rig: Rig;
let session: RigSession;
let people: readonly Described[];
let logs: readonly Described[];

beforeAll(async () => {
  const table = '(id int PRIMARY KEY, name text, email text, phone text)';
  postgres = await createTestPostgres({ init: `CREATE TABLE people ${table}; CREATE TABLE logs ${table};` });
  const of = async (name: string): Promise<readonly Described[]> => {
    const [found] = await postgres.sql<{ oid: number }>(`select '${name}'::regclass::oid::int as oid`);
    const oid = found?.oid ?? 0;
    return ['id', 'name', 'email', 'phone'].map((column, n) => [column, oid, n + 1, n === 0 ? 23 : 25] as const);
  };
  people = await of('people');
  logs = await of('logs');
  const labels = { 'pii.email': ['*.*.email'], 'pii.phone': ['*.*.phone'] };
  rig = await createRig({ postgres, policies, labels });
});
afterAll(async () => {
  await rig?.stop();
  await postgres?.stop();
});
beforeEach(async () => {
  session = await rig.session();
  session.client.takesAtOnce = true;
  return () => session.client.end();
});

const person = (n: number): string[] => [`${n}`, `Person ${n}`, `person.${n}@example.com`, `+49 30 ${1_000_000 + n}`];
const shown = (n: number): string[] => [
  `${n}`,
  `Person ${n}`,
  'p#***#@#***#.com',
  `#***#${`${1_000_000 + n}`.slice(-2)}`,
];
const rowsOf = (cells: (n: number) => string[], count = many): Buffer[] =>
  Array.from({ length: count }, (_, n) => dataRow(cells(n)));
const linesOf = (cells: (n: number) => string[], separator: string): Buffer[] =>
  Array.from({ length: many }, (_, n) => message('d', Buffer.from(`${cells(n).join(separator)}\n`)));
const copied = (lines: readonly Buffer[]): Buffer =>
  Buffer.concat([
    message('H', Buffer.from([0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0])),
    ...lines,
    message('c', Buffer.alloc(0)),
    message('C', cstring(`COPY ${lines.length}`)),
    ready,
  ]);

/** Sends a statement and the server's answer to it in chunks; the client's link then has what it was given. */
async function answered(statement: string, answer: Buffer, chunk = 8_192): Promise<void> {
  const { client, server } = session;
  const before = server.writes;
  client.send(query(statement));
  while (server.writes === before) await new Promise((resolve) => setImmediate(resolve));
  server.clear();
  for (let at = 0; at < answer.length; at += chunk) server.send(answer.subarray(at, at + chunk));
}

async function exchange(statement: string, answer: Buffer, chunk?: number): Promise<Buffer> {
  await answered(statement, answer, chunk);
  return session.client.taken();
}

const select = (chunk?: number): Promise<Buffer> =>
  exchange('select * from people', selected(rowDescription(people), rowsOf(person)), chunk);
const copy = (chunk?: number): Promise<Buffer> =>
  exchange('copy people to stdout', copied(linesOf(person, '\t')), chunk);
const name = (n: number): string[] => person(n).slice(0, 2);

describe('a large result', () => {
  test.each([1, 7, 100, 8_192, 65_536, 10_000_000])('is masked, in chunks of %i', async (chunk) => {
    expect((await select(chunk)).equals(selected(rowDescription(people), rowsOf(shown)))).toBe(true);
    expect((await copy(chunk)).equals(copied(linesOf(shown, '\t')))).toBe(true);
    const csv = await exchange('copy people to stdout (format csv)', copied(linesOf(person, ',')), chunk);
    expect(csv.equals(copied(linesOf(shown, ',')))).toBe(true);
  });

  test('is masked where unusual values stand between plain ones', async () => {
    const odd = [
      '',
      'jörg@example.com',
      'a@b',
      '"a b"@c.de',
      ' x@y.zz ',
      `${'l'.repeat(400)}@example.com`,
      '\\N',
      ',"',
    ];
    const cells = (n: number): string[] =>
      n % 3 === 0 ? person(n) : [`${n}`, odd[n % 8] ?? '', odd[n % 8] ?? '', '+1'];
    const answer = await exchange('select * from people', selected(rowDescription(people), rowsOf(cells)));
    const expected = (n: number): string[] => {
      if (n % 3 === 0) return shown(n);
      const value = odd[n % 8] ?? '';
      return [`${n}`, value, partial.partialMask('email', value) ?? '#*masked*#', '#*masked*#'];
    };
    expect(answer.equals(selected(rowDescription(people), rowsOf(expected)))).toBe(true);
  });

  test('ends where policy says, within what is recorded at once', async () => {
    const text = (await exchange('select * from logs', selected(rowDescription(logs), rowsOf(person)))).toString(
      'latin1',
    );
    expect(text.split('p#***#@#***#.com')).toHaveLength(601);
    expect(text).toContain('Person 599');
    expect(text).not.toContain('Person 600');
    expect(text).toContain('SELECT 600');
    expect(text).toContain('400 more were withheld');
  });

  describe('costs', () => {
    const asked = {
      clear: ['select id, name from people', () => selected(rowDescription(people.slice(0, 2)), rowsOf(name))],
      masked: ['select * from people', () => selected(rowDescription(people), rowsOf(person))],
      'masked, by COPY': ['copy people to stdout', () => copied(linesOf(person, '\t'))],
    } as const;
    /** Nothing in it is the test's own but the chunks, and what the link copies. */
    const again = (what: keyof typeof asked): (() => Promise<void>) => {
      const [statement, make] = asked[what];
      const answer = make();
      return async () => {
        await answered(statement, answer);
        session.client.clear();
      };
    };

    test('no text of a plain value, and a call to the recording for a hundred rows', async () => {
      const texts = vi.spyOn(partial, 'partialMask');
      const rows = vi.spyOn(RecordingWriter.prototype, 'rows');
      const cells = vi.spyOn(RecordingWriter.prototype, 'cells');
      await again('masked')();
      await again('masked, by COPY')();
      expect(texts).not.toHaveBeenCalled();
      // A chunk of 8 KiB makes one call, and one for the row that it cuts.
      expect(rows.mock.calls.length).toBeLessThan(many / 25);
      expect(cells.mock.calls.length).toBeLessThan(many / 25);
      vi.restoreAllMocks();
    });

    test('no buffers but those that are used again', async () => {
      const ask = again('masked');
      for (let n = 0; n < 3; n++) await ask();
      const slow = vi.spyOn(Buffer, 'allocUnsafeSlow');
      const unsafe = vi.spyOn(Buffer, 'allocUnsafe');
      await ask();
      expect(slow).not.toHaveBeenCalled();
      // A row that was cut between chunks is put together by itself.
      expect(unsafe.mock.calls.reduce((sum, [size]) => sum + size, 0)).toBeLessThan(many * 10);
      vi.restoreAllMocks();
    });

    // With what the statement itself takes, spread over the rows.
    test.each([
      ['clear', 40],
      ['masked', 60],
      ['masked, by COPY', 60],
    ] as const)('few bytes of the heap: %s', async (what, bytes) => {
      const ask = again(what);
      for (let n = 0; n < 30; n++) await ask();
      const answers = 30;
      const each =
        (await allocated(async () => {
          for (let n = 0; n < answers; n++) await ask();
        })) /
        (answers * many);
      expect(each).toBeLessThan(bytes);
    });
  });
});
