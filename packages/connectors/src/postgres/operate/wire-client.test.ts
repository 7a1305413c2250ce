import type { ClientLink } from '@sluice/core/contract/link.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { linkPair } from '../../wire/link-pair.ts';
import { server } from '../protocol/codes.ts';
import {
  authenticationRequest,
  backendKeyData,
  commandComplete,
  dataRow,
  framed,
  problem,
  readyForQuery,
} from '../protocol/messages.ts';
import { type Manner, WireClient } from './wire-client.ts';

const nothing = Buffer.alloc(0);
const hello = Buffer.concat([authenticationRequest(0), backendKeyData(7, Buffer.from('key!')), readyForQuery('I')]);

function description(...names: readonly string[]): Buffer {
  const writer = new ByteWriter().int16(names.length);
  for (const name of names) writer.cstring(name).int32(0).int16(0).int32(25).int16(-1).int32(-1).int16(0);
  return framed(server.rowDescription, writer.take());
}

function row(...cells: readonly (string | null)[]): Buffer {
  const writer = new ByteWriter().int16(cells.length);
  for (const cell of cells) {
    if (cell === null) writer.int32(-1);
    else writer.int32(Buffer.byteLength(cell)).text(cell);
  }
  return dataRow(writer.take());
}

const prepared = (...names: readonly string[]): Buffer =>
  Buffer.concat([framed(server.parseComplete, nothing), framed(server.bindComplete, nothing), description(...names)]);

/** A server that answers whatever it is sent with the next of these, in pieces of these sizes. */
function scripted(link: ClientLink, answers: readonly Buffer[], sizes: readonly number[] = []): Buffer[] {
  const heard: Buffer[] = [];
  const left = [...answers];
  link.onData((chunk) => {
    heard.push(Buffer.from(chunk));
    const answer = left.shift();
    if (!answer) return;
    let at = 0;
    for (const size of sizes) {
      if (at >= answer.length) break;
      link.write(answer.subarray(at, at + size));
      at += size;
    }
    if (at < answer.length) link.write(answer.subarray(at));
  });
  return heard;
}

async function started(answers: readonly Buffer[], sizes?: readonly number[]) {
  const { near, far } = linkPair('test');
  // The startup packet and the password are two writes.
  const heard = scripted(far, [nothing, hello, ...answers], sizes);
  const client = new WireClient(near);
  await client.start(new Map([['user', 'x']]), '');
  return { client, far, heard: () => heard.slice(2) };
}

const wanted = {
  text: 'SELECT 1',
  parameters: [],
  rows: 10,
  bytes: 1_000,
  manner: (): Manner => 'part',
  keeps: () => false,
};

describe('an answer', () => {
  test('is the same however its bytes are split', async () => {
    const end = Buffer.concat([
      row('a', null),
      problem({ severity: 'NOTICE', code: '01000', message: 'note' }),
      row('ø', ''),
      commandComplete('SELECT 2'),
      readyForQuery('I'),
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 80 }), async (sizes) => {
        const { client } = await started([prepared('one', 'two'), end], sizes);
        expect(client.key).toEqual({ pid: 7, secret: Buffer.from('key!') });
        expect(await client.ask(wanted)).toMatchObject({
          columns: [{ name: 'one' }, { name: 'two' }],
          rows: [
            ['a', null],
            ['ø', ''],
          ],
          tag: 'SELECT 2',
          notices: ['note'],
          error: undefined,
          leftOut: undefined,
          status: 'I',
        });
      }),
      { numRuns: 40 },
    );
  });

  test('asks for as many rows as are wanted, or for all where there are effects', async () => {
    for (const [manner, rows] of [
      ['part', 10],
      ['pausing', 10],
      ['whole', 0],
    ] as const) {
      const { client, heard } = await started([
        prepared('n'),
        Buffer.concat([commandComplete('X'), readyForQuery('I')]),
      ]);
      await client.ask({ ...wanted, manner: () => manner });
      const execute = heard()[1];
      expect(String.fromCharCode(execute?.[0] ?? 0)).toBe('E');
      expect(execute?.readInt32BE(6)).toBe(rows);
    }
  });

  test('to what fails before it runs ends all the same, and the next can be asked', async () => {
    const failure = problem({ severity: 'ERROR', code: '42601', message: 'no' });
    const { client } = await started([
      failure,
      readyForQuery('I'),
      prepared('n'),
      Buffer.concat([row('1'), commandComplete('SELECT 1'), readyForQuery('I')]),
    ]);
    const failed = await client.ask(wanted);
    expect(failed.error?.get('C')).toBe('42601');
    expect(await client.ask(wanted)).toMatchObject({ rows: [['1']], error: undefined });
  });

  test('keeps no row behind one that is left out', async () => {
    const rows = Buffer.concat([
      row('a'),
      row('x'.repeat(2_000)),
      row('b'),
      commandComplete('SELECT 3'),
      readyForQuery('I'),
    ]);
    const { client } = await started([prepared('n'), rows]);
    expect(await client.ask(wanted)).toMatchObject({ rows: [['a']], leftOut: 'bytes', tag: 'SELECT 3' });
  });

  test('keeps no more rows than are wanted, whoever sends them', async () => {
    const rows = Buffer.concat([...Array(20).fill(row('a')), commandComplete('SELECT 20'), readyForQuery('I')]);
    const { client } = await started([prepared('n'), rows]);
    const answer = await client.ask(wanted);
    expect([answer.rows.length, answer.leftOut]).toEqual([10, 'rows']);
  });

  describe('with more rows than were wanted', () => {
    const suspended = framed(server.portalSuspended, nothing);
    const pausing = { ...wanted, rows: 1, manner: (): Manner => 'pausing', keeps: () => true };
    const sentBy = (heard: readonly Buffer[]) => heard.map((bytes) => bytes.toString('latin1').replace(/[^A-Z]/g, ''));

    test('leaves them at the database, and gives them later', async () => {
      const { client, heard } = await started([
        prepared('n'),
        Buffer.concat([row('a'), suspended]),
        Buffer.concat([row('b'), suspended]),
        Buffer.concat([row('c'), commandComplete('SELECT 1')]),
        readyForQuery('I'),
        prepared('m'),
        Buffer.concat([commandComplete('SELECT 0')]),
        readyForQuery('I'),
      ]);
      expect(await client.ask(pausing)).toMatchObject({ rows: [['a']], kept: true, columns: [{ name: 'n' }] });
      expect(client.keeps).toBe(true);
      expect(await client.more(pausing)).toMatchObject({ rows: [['b']], kept: true, columns: [{ name: 'n' }] });
      expect(await client.more(pausing)).toMatchObject({ rows: [['c']], kept: false, tag: 'SELECT 1' });
      expect(client.keeps).toBe(false);
      await expect(client.more(pausing)).rejects.toThrow();
      expect(await client.ask(pausing)).toMatchObject({ rows: [], columns: [{ name: 'm' }] });
      // No Sync before the last of them: it would end the transaction, and the rows with it.
      expect(sentBy(heard()).slice(1, 5)).toEqual(['EH', 'EH', 'EH', 'S']);
    });

    test('lets them go', async () => {
      const { client, heard } = await started([
        prepared('n'),
        Buffer.concat([row('a'), suspended]),
        readyForQuery('I'),
        prepared('n'),
        Buffer.concat([row('z'), commandComplete('SELECT 1'), readyForQuery('I')]),
      ]);
      await client.ask(pausing);
      await client.letGo();
      await client.letGo();
      expect(client.keeps).toBe(false);
      expect(await client.ask(wanted)).toMatchObject({ rows: [['z']] });
      expect(sentBy(heard())[2]).toBe('S');
    });

    test.each<[string, Partial<typeof pausing>, Buffer]>([
      ['nobody keeps them', { keeps: () => false }, Buffer.concat([row('a'), suspended])],
      ['one was too large', {}, Buffer.concat([row('x'.repeat(2_000)), suspended])],
      ['it is told so', { manner: () => 'part' }, Buffer.concat([row('a'), suspended, readyForQuery('I')])],
    ])('gives them up where %s', async (_, more, rows) => {
      const { client } = await started([prepared('n'), rows, readyForQuery('I')]);
      expect(await client.ask({ ...pausing, ...more })).toMatchObject({ suspended: true, kept: false });
      expect(client.keeps).toBe(false);
    });

    test('is over when the database says something is wrong meanwhile', async () => {
      const { client, far } = await started([prepared('n'), Buffer.concat([row('a'), suspended])]);
      await client.ask(pausing);
      far.write(problem({ severity: 'ERROR', code: '57014', message: 'canceling statement due to statement timeout' }));
      await new Promise((resolve) => setImmediate(resolve));
      expect(client.keeps).toBe(false);
      await expect(client.ask(wanted)).rejects.toMatchObject({ code: 'session_over' });
    });

    test('fails with the rest as with anything', async () => {
      const failure = problem({ severity: 'ERROR', code: '22012', message: 'division by zero' });
      const { client } = await started([
        prepared('n'),
        Buffer.concat([row('a'), suspended]),
        Buffer.concat([row('b'), failure]),
        readyForQuery('I'),
      ]);
      await client.ask(pausing);
      const answer = await client.more({ ...pausing, rows: 5 });
      expect(answer.error?.get('C')).toBe('22012');
      expect(client.keeps).toBe(false);
    });
  });

  test('that breaks off is told with the last words there were', async () => {
    const { client, far } = await started([problem({ severity: 'FATAL', code: '57P01', message: 'ended by X' })]);
    const answer = client.ask(wanted);
    await new Promise((resolve) => setImmediate(resolve));
    far.end();
    await expect(answer).rejects.toMatchObject({ code: 'session_over', publicMessage: 'ended by X' });
    await expect(client.ask(wanted)).rejects.toMatchObject({ code: 'session_over' });
  });

  test('of bytes that are no protocol ends the connection', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 5, maxLength: 40 }), async (bytes) => {
        const { client, far } = await started([Buffer.from(bytes)]);
        const answer = client.ask(wanted).then(
          () => 'answered',
          () => 'failed',
        );
        await new Promise((resolve) => setImmediate(resolve));
        far.end();
        expect(['answered', 'failed']).toContain(await answer);
      }),
      { numRuns: 100 },
    );
  });
});
