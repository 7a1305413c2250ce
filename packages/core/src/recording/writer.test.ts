import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  memoryWriter,
  testAction,
  testKey,
  testRow,
  testSession,
  verifierPorts,
} from '../../../../test/harness/recording.ts';
import { CoreError } from '../domain/error.ts';
import type { AnyEvent } from './entry.ts';
import type { ByteSink } from './ports.ts';
import { readRecording } from './replay-reader.ts';
import { RecordingVerifier } from './verifier.ts';
import { RecordingWriter } from './writer.ts';

const key = testKey();
const ports = verifierPorts(key);

async function eventsOf(bytes: Uint8Array): Promise<AnyEvent[]> {
  const events: AnyEvent[] = [];
  for await (const item of readRecording([bytes], ports.inflater)) {
    if (item.kind === 'unreadable') throw new Error(item.unreadable.problem);
    events.push(item.entry.event);
  }
  return events;
}

function faultsOf(bytes: Uint8Array): string[] {
  const verifier = new RecordingVerifier(ports);
  verifier.push(bytes);
  return verifier.finish().faults.map(({ code }) => code);
}

const shape = { type: 'shape', unit: 1, columns: [{ name: 'id', type: 'int4', format: 'text' }] } as const;
const complete = { type: 'complete', unit: 1, tag: 'SELECT', rows: 0, bytes: 0, digest: '' } as const;

/** A disk that takes `size` bytes; what closes a recording has room of its own. */
function fullAfter(size: number): ByteSink & { taken: Uint8Array[] } {
  const taken: Uint8Array[] = [];
  let used = 0;
  return {
    taken,
    write(bytes, last) {
      if (!last && used + bytes.length > size) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      used += bytes.length;
      taken.push(bytes.slice());
    },
  };
}

describe('the recording writer', () => {
  it('writes nothing before a flush, and everything appended in one write', () => {
    const { writer, writes } = memoryWriter(key);
    writer.append(testAction(1, 'SELECT 1'));
    expect(writes).toHaveLength(0);
    writer.flush();
    writer.flush();
    expect(writes).toHaveLength(1);
  });

  it('numbers events from the header', () => {
    const { writer } = memoryWriter(key);
    expect(writer.append(testAction(1, 'SELECT 1'))).toBe(1);
    expect(writer.append(testAction(2, 'SELECT 2'))).toBe(2);
  });

  it('gives back what was appended', async () => {
    const { writer, bytes } = memoryWriter(key);
    const text = `SELECT '${'Ωmega \ud800 \u0000 \u202e'.repeat(3000)}'`;
    const appended = [
      testAction(1, text),
      { type: 'notice', severity: 'NOTICE', code: '00000', message: 'held' } as const,
      { type: 'terminal', unit: 1, direction: 'output', data: Uint8Array.of(27, 91, 65) } as const,
      { type: 'resize', unit: 1, columns: 80, rows: 24 } as const,
    ];
    for (const event of appended) writer.append(event);
    writer.finish('client_closed');
    expect((await eventsOf(bytes())).slice(1, 5)).toEqual(appended);
    expect(faultsOf(bytes())).toEqual([]);
  });

  it('counts and digests the rows of a result itself', async () => {
    const { writer, bytes } = memoryWriter(key, { batch: 64 });
    const rows = Array.from({ length: 20 }, (_, i) => testRow(`row ${i}`));
    writer.append(shape);
    for (const row of rows) writer.rows(row);
    writer.append(complete);
    writer.finish('client_closed');
    const events = await eventsOf(bytes());
    const digest = createHash('sha256').update(Buffer.concat(rows)).digest('hex');
    const size = Buffer.concat(rows).length;
    expect(events.find((event) => event.type === 'complete')).toMatchObject({ rows: 20, bytes: size, digest });
    const kept = events.filter((event) => event.type === 'rows');
    expect(kept.length).toBeGreaterThan(1);
    expect(Buffer.concat(kept.map(({ cells }) => cells))).toEqual(Buffer.concat(rows));
    expect(faultsOf(bytes())).toEqual([]);
  });

  it('stops keeping rows at the cap, says so once, and goes on counting and digesting', async () => {
    const row = testRow('x'.repeat(94));
    const { writer, bytes } = memoryWriter(key, { cap: 1000, batch: 300 });
    writer.append(shape);
    for (let i = 0; i < 50; i++) writer.rows(row);
    writer.append(complete);
    writer.append(shape);
    writer.rows(row);
    writer.append(complete);
    writer.finish('client_closed');
    const events = await eventsOf(bytes());
    const kept = Math.floor(1000 / row.length);
    expect(events.filter((event) => event.type === 'capped')).toEqual([
      { type: 'capped', afterRows: kept, afterBytes: kept * row.length },
    ]);
    const digest = createHash('sha256')
      .update(Buffer.concat(Array(50).fill(row)))
      .digest('hex');
    expect(events.filter((event) => event.type === 'complete')).toMatchObject([{ rows: 50, digest }, { rows: 1 }]);
    expect(faultsOf(bytes())).toEqual([]);
  });

  it.each(['rows', 'cells'] as const)('takes %s by the many as it takes them one by one', async (what) => {
    const settings = { cap: 60_000, batch: 5_000 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.oneof(fc.nat(90), fc.nat(9_000)), { minLength: 1, maxLength: 30 }), { maxLength: 12 }),
        fc.nat(9),
        async (groups, between) => {
          const [many, single] = [memoryWriter(key, settings), memoryWriter(key, settings)];
          for (const { writer } of [many, single]) writer.append(shape);
          for (const [n, lengths] of groups.entries()) {
            // Rows that are given have one cell each, of which the bytes are no others than what is given as a cell.
            const rows = lengths.map((length, m) => testRow(String.fromCharCode(65 + ((n + m) % 26)).repeat(length)));
            const given = Buffer.concat(rows.flatMap((row) => [Buffer.alloc(between, 0x2e), row]));
            const bounds = new Uint32Array(rows.length * 2 + 4);
            let at = 0;
            for (const [m, row] of rows.entries()) {
              bounds[m * 2] = at + between;
              at += between + row.length;
              bounds[m * 2 + 1] = at;
              single.writer[what](row);
            }
            many.writer[what](given, { bounds, count: rows.length });
          }
          for (const { writer } of [many, single]) {
            writer.append(complete);
            writer.finish('client_closed');
          }
          const [one, other] = await Promise.all([many, single].map(({ bytes }) => eventsOf(bytes())));
          expect(one).toEqual(other);
          expect(faultsOf(many.bytes())).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('keeps one row that is larger than a batch, and none that is larger than the cap', async () => {
    const { writer, bytes } = memoryWriter(key, { cap: 200_000, batch: 1000 });
    writer.append(shape);
    writer.rows(testRow('a'));
    writer.rows(testRow('b'.repeat(150_000)));
    writer.rows(testRow('c'.repeat(150_000)));
    writer.append(complete);
    writer.finish('client_closed');
    const kept = (await eventsOf(bytes())).filter((event) => event.type === 'rows');
    expect(kept.map(({ count }) => count)).toEqual([1, 1]);
    expect(faultsOf(bytes())).toEqual([]);
  });

  it('does not carry the rows of a failed result over to the next', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(shape);
    writer.rows(testRow('1'));
    writer.append({ type: 'error', unit: 1, code: '22012', message: 'division by zero', source: 'upstream' });
    writer.append({ ...complete, unit: 2, tag: 'UPDATE 1' });
    writer.finish('client_closed');
    const done = (await eventsOf(bytes())).find((event) => event.type === 'complete');
    expect(done).toMatchObject({ unit: 2, rows: 0, bytes: 0, digest: createHash('sha256').digest('hex') });
    expect(faultsOf(bytes())).toEqual([]);
  });

  it('keeps the order of rows and other events', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(shape);
    writer.rows(testRow('1'));
    writer.append({ type: 'notice', severity: 'NOTICE', code: '00000', message: 'half way' });
    writer.rows(testRow('2'));
    writer.flush();
    writer.rows(testRow('3'));
    writer.append(complete);
    writer.finish('client_closed');
    const types = (await eventsOf(bytes())).map(({ type }) => type);
    expect(types).toEqual(['header', 'shape', 'rows', 'notice', 'rows', 'rows', 'complete', 'end', 'seal']);
  });

  it('never lets time run backwards', async () => {
    const times = [5, 100, 40, Number.NaN, -7, 2 ** 60];
    const { writer, bytes } = memoryWriter(key, { micros: () => times.shift() ?? 0 });
    for (let unit = 1; unit <= 5; unit++) writer.append(testAction(unit, 'SELECT 1'));
    writer.finish('client_closed');
    expect(faultsOf(bytes())).toEqual([]);
  });

  it('writes on its own before too much waits', () => {
    const { writer, writes } = memoryWriter(key);
    for (let unit = 0; unit < 2000; unit++) writer.append(testAction(unit, `SELECT ${'1'.repeat(500)}`));
    expect(writes.length).toBeGreaterThan(1);
  });

  it('seals once, whoever asks how often', () => {
    const { writer, writes } = memoryWriter(key);
    const first = writer.finish('client_closed');
    const before = writes.length;
    expect(writer.finish('killed')).toBe(first);
    expect(writes).toHaveLength(before);
    expect(() => writer.append(testAction(1, 'SELECT 1'))).toThrow(CoreError);
  });
});

describe('a full disk', () => {
  function writerOn(sink: ByteSink): RecordingWriter {
    return new RecordingWriter(
      testSession(),
      'hash',
      { ...ports, sink, deflater: { deflate: () => undefined }, signer: key.signer, micros: () => 1 },
      { cap: 1000, batch: 1000 },
    );
  }

  it('refuses the event, and every later one, with the same error', () => {
    const writer = writerOn(fullAfter(1500));
    writer.flush();
    const fill = (): void => {
      for (let unit = 1; unit < 100; unit++) {
        writer.append(testAction(unit, 'SELECT 1'));
        writer.flush();
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'recording_failed', source: 'gateway' }));
    expect(() => writer.append(testAction(1, 'x'))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(() => writer.rows(testRow('x'))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(() => writer.flush()).toThrow(expect.objectContaining({ code: 'recording_failed' }));
  });

  it('leaves a recording that verifies and says how many events are missing', async () => {
    const sink = fullAfter(1500);
    const writer = writerOn(sink);
    writer.flush();
    writer.append(testAction(1, 'SELECT 1'));
    writer.append(testAction(2, 'SELECT 2'.repeat(500)));
    expect(() => writer.flush()).toThrow(CoreError);
    const finished = writer.finish('client_closed');
    const bytes = Buffer.concat(sink.taken);
    expect(faultsOf(bytes)).toEqual([]);
    expect(finished).toMatchObject({ reason: 'recording_failed', events: 2 });
    expect((await eventsOf(bytes)).at(-2)).toMatchObject({ type: 'end', reason: 'recording_failed', lost: 2 });
  });

  it('tells the same when only the last flush fails', async () => {
    const sink = fullAfter(1500);
    const writer = writerOn(sink);
    writer.flush();
    writer.append(testAction(1, 'SELECT 1'.repeat(500)));
    writer.finish('client_closed');
    expect(faultsOf(Buffer.concat(sink.taken))).toEqual([]);
    expect((await eventsOf(Buffer.concat(sink.taken))).at(-2)).toMatchObject({ reason: 'recording_failed', lost: 1 });
  });

  it('can be tried again when not even the end could be written', () => {
    let full = true;
    const taken: Uint8Array[] = [];
    const writer = writerOn({
      write: (bytes) => {
        if (full && taken.length > 0) throw new Error('no space');
        taken.push(bytes.slice());
      },
    });
    writer.flush();
    writer.append(testAction(1, 'SELECT 1'));
    expect(() => writer.finish('killed')).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    full = false;
    writer.finish('killed');
    expect(faultsOf(Buffer.concat(taken))).toEqual([]);
  });

  it('makes no recording out of a header that was never written', () => {
    const writer = writerOn(fullAfter(0));
    expect(() => writer.flush()).toThrow(CoreError);
    expect(() => writer.finish('recording_failed')).toThrow(CoreError);
  });
});
