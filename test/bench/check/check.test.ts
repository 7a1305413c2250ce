// What makes a run worthless must be found: rows that were not masked, statements that are in no recording. Nothing here
// is measured; the recordings are real ones, made by the real writer.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { AnyEvent } from '@sluice/core/recording/entry.ts';
import { RecordingVerifier } from '@sluice/core/recording/verifier.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryWriter, testAction, testKey, testRow, testSession, verifierPorts } from '../../harness/recording.ts';
import { Ledger } from './ledger.ts';
import { compareRows } from './masked.ts';
import { compareJson } from './masked-json.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-bench-check-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const clear = ['1\tAda\tada@example.com', '2\tBen\tben@example.com'];

async function compared(masked: readonly string[], form: 'cells' | 'lines' = 'cells') {
  await writeFile(join(folder, 'clear'), `${clear.join('\n')}\n`);
  await writeFile(join(folder, 'masked'), masked.map((line) => `${line}\n`).join(''));
  return compareRows(join(folder, 'clear'), join(folder, 'masked'), [2], form);
}

const masked = ['1\tAda\ta***@example.com', '2\tBen\tb***@example.com'];

describe('rows through the gateway', () => {
  test('are taken when they are masked where they must be, and nowhere else', async () => {
    expect(await compared(masked)).toMatchObject({ rows: 2 });
  });

  test.each([
    ['a value in clear', [masked[0] ?? '', clear[1] ?? ''], /column 2 of row 1 is not masked/],
    ['a value with something around it', ['1\tAda\t<ada@example.com>', masked[1] ?? ''], /column 2 of row 0/],
    ['another value where none is masked', ['1\tAda\ta***', '2\tBob\tb***'], /column 1 of row 1 is not what/],
    ['a row too few', [masked[0] ?? ''], /only 1 rows/],
    ['a row too many', [...masked, '3\tCid\tc***'], /more rows/],
    ['a column too few', ['1\tAda', masked[1] ?? ''], /row 0 has 2 columns/],
  ])('are refused with %s', async (_, lines, message) => {
    await expect(compared(lines)).rejects.toThrow(message);
  });

  test('are told by no value that should be hidden', async () => {
    const error: Error = await compared(clear).then(
      () => new Error('taken'),
      (reason) => reason,
    );
    expect(error.message).not.toContain('ada@example.com');
  });
});

describe('JSON through the gateway', () => {
  const json = (email: string, name = 'Ada') => JSON.stringify({ items: [{ name, contact: { email } }] });
  test('is taken when what is named is masked, however deep, and nothing else', () => {
    expect(compareJson(json('a@b.example'), json('a***'), ['email'])).toBe(1);
    expect(compareJson(json('a@b.example'), json('a***'), ['contact'])).toBe(1);
  });

  test.each([
    ['a value in clear', json('a@b.example'), /items\/0\/contact\/email is not masked/],
    ['a value with something around it', json('<a@b.example>'), /is not masked/],
    ['another value where none is masked', json('a***', 'Bob'), /items\/0\/name is not what/],
    ['a member too few', '{}', /other members/],
    ['a list where a text was', '{"items":"x"}', /another form/],
  ])('is refused with %s', (_, text, message) => {
    expect(() => compareJson(json('a@b.example'), text, ['email'])).toThrow(message);
  });
});

describe('the ledger', () => {
  const key = testKey();

  /** A recording with these events, read back into a ledger as a run does it. */
  function ledgerOf(events: readonly (RecordingEvent | Uint8Array)[], application = 'load 1'): Ledger {
    const session = testSession();
    const { writer, bytes } = memoryWriter(key, {
      session: { ...session, client: { ...session.client, application } },
    });
    for (const event of events) {
      if (event instanceof Uint8Array) writer.rows(event);
      else writer.append(event);
    }
    writer.finish('client_closed');
    const ledger = new Ledger();
    let header: AnyEvent | undefined;
    const verifier = new RecordingVerifier(verifierPorts(key), {
      onEvent: (event) => {
        if (event.type === 'header') header = event;
        else if (header?.type === 'header') ledger.recorded(header, event);
      },
    });
    verifier.push(bytes());
    expect(verifier.finish().faults).toEqual([]);
    return ledger;
  }

  const complete = (unit: number, tag: string): RecordingEvent => ({
    type: 'complete',
    unit,
    tag,
    rows: 0,
    bytes: 0,
    digest: '',
  });
  const query = (unit: number): RecordingEvent[] => [testAction(unit, 'SELECT 1'), complete(unit, 'SELECT 0')];

  test('agrees when all that was sent is recorded', () => {
    const ledger = ledgerOf([...query(1), ...query(2)]);
    ledger.sent({ by: 'load 1', units: 2 });
    expect(ledger.settle()).toEqual([]);
    expect(ledger.total).toBe(2);
    expect(ledger.settle()).toEqual([]);
  });

  test.each([
    ['one too few', 3, /3 were sent, 2 are recorded/],
    ['one too many', 1, /1 were sent, 2 are recorded/],
  ])('finds %s', (_, units, fault) => {
    const ledger = ledgerOf([...query(1), ...query(2)]);
    ledger.sent({ by: 'load 1', units });
    expect(ledger.settle()).toEqual([expect.stringMatching(fault)]);
  });

  test('finds what nobody sent, and what nobody recorded', () => {
    const ledger = ledgerOf(query(1), 'stranger');
    ledger.sent({ by: 'load 1', units: 1 });
    expect(ledger.settle()).toEqual([
      'load 1: nothing is recorded',
      'stranger: is recorded, and nobody says that it was sent',
    ]);
  });

  test('does not count the judgement on the session, what only prepares, or what pgbench asks before it begins', () => {
    const connect = {
      ...testAction(1, ''),
      name: 'connect',
      actions: [{ verb: 'connect', access: 'connect', resources: [] }],
    };
    const ledger = ledgerOf([
      connect as RecordingEvent,
      testAction(2, 'select count(*) from pgbench_branches'),
      { ...testAction(3, 'SELECT 1'), name: 'Parse' } as RecordingEvent,
      { ...testAction(4, 'SELECT 1'), name: 'Bind' } as RecordingEvent,
      { ...testAction(5, 'SELECT 1'), name: 'Execute' } as RecordingEvent,
    ]);
    ledger.sent({ by: 'load 1', units: 1 });
    expect(ledger.settle()).toEqual([]);
  });

  test('finds what was refused', () => {
    const ledger = ledgerOf([...query(1), testAction(2, 'DROP TABLE t', 'deny')]);
    ledger.sent({ by: 'load 1', units: 1 });
    expect(ledger.settle()).toEqual(['load 1: 1 were not allowed']);
  });

  test('knows by its digest a result that was not masked as it must be', async () => {
    const shape = (unit: number): RecordingEvent => ({ type: 'shape', unit, columns: [] });
    const rows = (lines: readonly string[]) => lines.map((line) => testRow(...line.split('\t')));
    const result = (unit: number, lines: readonly string[]) => [
      testAction(unit, 'SELECT'),
      shape(unit),
      ...rows(lines),
      complete(unit, 'SELECT 2'),
    ];
    const { digest } = await compared(masked);
    const sent = { by: 'load 1', units: 2, results: { tag: 'SELECT 2', digest } };

    const good = ledgerOf([...result(1, masked), ...result(2, masked)]);
    good.sent(sent);
    expect(good.settle()).toEqual([]);

    const bad = ledgerOf([...result(1, masked), ...result(2, clear)]);
    bad.sent(sent);
    expect(bad.settle()).toEqual([
      'load 1: 2 results should be masked as they must be, 1 are',
      'load 1: 1 results have other rows than they must have when masked',
    ]);
  });
});
