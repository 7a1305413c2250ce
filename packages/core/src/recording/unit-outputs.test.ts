import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryWriter, testAction, testKey, testRow, verifierPorts } from '../../../../test/harness/recording.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import type { AnyEvent } from './entry.ts';
import { openUnits, unitStreams } from './format.ts';
import { readRecording } from './replay-reader.ts';
import { type RecordingReport, RecordingVerifier } from './verifier.ts';

type Of<Type extends RecordingEvent['type']> = Extract<RecordingEvent, { type: Type }>;

const key = testKey();
const ports = verifierPorts(key);
const sha256 = (...parts: readonly Uint8Array[]): string =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex');

async function eventsOf(bytes: Uint8Array): Promise<AnyEvent[]> {
  const events: AnyEvent[] = [];
  for await (const item of readRecording([bytes], ports.inflater)) {
    if (item.kind === 'unreadable') throw new Error(item.unreadable.problem);
    events.push(item.entry.event);
  }
  return events;
}

async function only<Type extends RecordingEvent['type']>(type: Type, bytes: Uint8Array): Promise<Of<Type>[]> {
  return (await eventsOf(bytes)).filter((event): event is Of<Type> => event.type === type);
}

function verify(bytes: Uint8Array): RecordingReport {
  const verifier = new RecordingVerifier(ports);
  verifier.push(bytes);
  return verifier.finish();
}

const output = (unit: number, stream: string, data: string | Uint8Array): Of<'output'> => ({
  type: 'output',
  unit,
  stream,
  data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
});
const complete = (unit: number, tag = 'exit 0'): Of<'complete'> => ({
  type: 'complete',
  unit,
  tag,
  rows: 0,
  bytes: 0,
  digest: '',
});

describe('the output of units', () => {
  it('becomes one event as long as it is of one stream, and is totalled per stream', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(testAction(1, 'make'));
    for (const piece of ['compi', 'ling', ' …\n']) writer.append(output(1, 'stdout', piece));
    writer.append(output(1, 'stderr', 'warning\n'));
    writer.append(output(1, 'stdout', 'done\n'));
    writer.append(complete(1));
    writer.finish('client_closed');
    expect((await only('output', bytes())).map(({ stream, data }) => [stream, Buffer.from(data).toString()])).toEqual([
      ['stdout', 'compiling …\n'],
      ['stderr', 'warning\n'],
      ['stdout', 'done\n'],
    ]);
    const out = Buffer.from('compiling …\ndone\n');
    const err = Buffer.from('warning\n');
    expect(await only('complete', bytes())).toEqual([
      {
        type: 'complete',
        unit: 1,
        tag: 'exit 0',
        rows: 0,
        bytes: out.length + err.length,
        digest: sha256(createHash('sha256').update(out).digest(), createHash('sha256').update(err).digest()),
        streams: [
          { stream: 'stdout', bytes: out.length, digest: sha256(out) },
          { stream: 'stderr', bytes: err.length, digest: sha256(err) },
        ],
      },
    ]);
    expect(verify(bytes())).toMatchObject({ faults: [], unfinished: 0 });
    expect((await eventsOf(bytes())).at(-2)).toMatchObject({ counts: { outputBytes: out.length + err.length } });
  });

  it('has the digest of its stream when there is one', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(output(7, 'body', 'hello'));
    writer.append(complete(7, '200 OK'));
    writer.finish('client_closed');
    expect(await only('complete', bytes())).toMatchObject([{ digest: sha256(Buffer.from('hello')) }]);
  });

  it('carries the time of its first byte', async () => {
    const times = [10, 20, 30, 40];
    const { writer, bytes } = memoryWriter(key, { micros: () => times.shift() ?? 50 });
    writer.append(output(1, 'stdout', 'a'));
    writer.append(output(1, 'stdout', 'b'));
    writer.append(complete(1));
    writer.finish('client_closed');
    const seen: number[] = [];
    for await (const item of readRecording([bytes()], ports.inflater)) {
      if (item.kind === 'entry' && item.entry.event.type === 'output') seen.push(item.entry.time);
    }
    expect(seen).toEqual([10]);
  });

  it('is kept to the very byte of the cap, per stream, and counted and digested beyond', async () => {
    const { writer, bytes } = memoryWriter(key, { cap: 10, batch: 4 });
    writer.append(output(1, 'stdout', 'x'.repeat(1000)));
    writer.append(output(1, 'stderr', '0123456789'));
    writer.append(output(1, 'stdout', 'y'));
    writer.append(output(1, 'stderr', 'z'));
    writer.append(complete(1));
    writer.finish('client_closed');
    expect(await only('capped', bytes())).toEqual([
      { type: 'capped', afterRows: 0, afterBytes: 10, unit: 1, stream: 'stdout' },
      { type: 'capped', afterRows: 0, afterBytes: 10, unit: 1, stream: 'stderr' },
    ]);
    expect(Buffer.concat((await only('output', bytes())).map(({ data }) => data)).toString()).toBe(
      'xxxxxxxxxx0123456789',
    );
    expect(await only('complete', bytes())).toMatchObject([
      {
        bytes: 1012,
        streams: [
          { stream: 'stdout', bytes: 1001, digest: sha256(Buffer.from(`${'x'.repeat(1000)}y`)) },
          { stream: 'stderr', bytes: 11, digest: sha256(Buffer.from('0123456789z')) },
        ],
      },
    ]);
    expect(verify(bytes()).faults).toEqual([]);
  });

  it('is not kept at all under a cap of nothing', async () => {
    const { writer, bytes } = memoryWriter(key, { cap: 0 });
    writer.append(output(1, 'body', 'secret'));
    writer.append(complete(1));
    writer.finish('client_closed');
    expect(await only('output', bytes())).toEqual([]);
    expect(await only('complete', bytes())).toMatchObject([{ bytes: 6, digest: sha256(Buffer.from('secret')) }]);
    expect(verify(bytes()).faults).toEqual([]);
  });

  it('splits a piece that no event can hold', async () => {
    const { writer, bytes } = memoryWriter(key, { cap: 2 ** 30 });
    const large = new Uint8Array(70 * 1024 * 1024);
    writer.append(output(1, 'body', large));
    writer.append(complete(1));
    writer.finish('client_closed');
    expect(verify(bytes()).faults).toEqual([]);
    expect(await only('complete', bytes())).toMatchObject([{ bytes: large.length, digest: sha256(large) }]);
  });

  it('is totalled as unfinished when the session ends first', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(output(1, 'body', 'half'));
    writer.append(output(2, 'body', 'whole'));
    writer.append(complete(2));
    writer.finish('killed');
    expect(
      (await only('complete', bytes())).map(({ unit, unfinished, bytes: size }) => [unit, unfinished, size]),
    ).toEqual([
      [2, undefined, 5],
      [1, true, 4],
    ]);
    expect(verify(bytes())).toMatchObject({ faults: [], unfinished: 1 });
  });

  it('goes on through an error of its unit', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(output(1, 'body', 'half'));
    writer.append({ type: 'error', unit: 1, code: 'reset', message: 'gone', source: 'upstream' });
    writer.append(complete(1, 'aborted'));
    writer.finish('client_closed');
    expect(await only('complete', bytes())).toMatchObject([{ bytes: 4, tag: 'aborted' }]);
    expect(verify(bytes())).toMatchObject({ faults: [], unfinished: 0 });
  });

  it('gives up what waits longest when too many units have some', async () => {
    const { writer, bytes } = memoryWriter(key);
    for (let unit = 0; unit < openUnits; unit++) writer.append(output(unit, 'body', 'a'));
    writer.append(output(0, 'body', 'b'));
    writer.append(output(openUnits, 'body', 'a'));
    const done = await (async () => {
      writer.flush();
      return only('complete', bytes());
    })();
    expect(done).toMatchObject([{ unit: 1, unfinished: true, bytes: 1 }]);
    writer.finish('client_closed');
    expect(verify(bytes())).toMatchObject({ faults: [], unfinished: openUnits + 1 });
  });

  it.each([
    ['without a name', ''],
    ['with a name that could steer a terminal', '\u001b[2J'],
    ['with a name beyond ASCII', 'größe'],
    ['with a name too long', 'x'.repeat(65)],
  ])('ends the recording for a stream %s', (_what, stream) => {
    const { writer } = memoryWriter(key);
    expect(() => writer.append(output(1, stream, 'x'))).toThrow(expect.objectContaining({ code: 'recording_failed' }));
  });

  it('has no more streams than a verifier follows', () => {
    const { writer } = memoryWriter(key);
    for (let i = 0; i < unitStreams; i++) writer.append(output(1, `s${i}`, 'x'));
    expect(() => writer.append(output(1, 'one more', 'x'))).toThrow(
      expect.objectContaining({ code: 'recording_failed' }),
    );
  });

  it('keeps its order among rows and other events', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(output(1, 'stdout', 'a'));
    writer.append({ type: 'shape', unit: 2, columns: [] });
    writer.rows(testRow('1'));
    writer.append(output(1, 'stdout', 'b'));
    writer.rows(testRow('2'));
    writer.append({ type: 'terminal', unit: 3, direction: 'output', data: Uint8Array.of(0x24) });
    writer.append(output(1, 'stdout', 'c'));
    writer.append({ type: 'resize', unit: 3, columns: 80, rows: 24 });
    writer.append(complete(2, 'SELECT 2'));
    writer.append(complete(1));
    writer.finish('client_closed');
    expect((await eventsOf(bytes())).map(({ type }) => type)).toEqual(
      'header output shape rows output rows terminal output resize complete complete end seal'.split(' '),
    );
    expect(await only('complete', bytes())).toMatchObject([
      { unit: 2, rows: 2 },
      { unit: 1, bytes: 3 },
    ]);
    expect(verify(bytes()).faults).toEqual([]);
  });
});

const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(300).fill(0x2e)));
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('output' as const),
      unit: fc.integer({ min: 1, max: 4 }),
      stream: fc.constantFrom('stdout', 'stderr', 'body'),
      data: piece,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('complete' as const), unit: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'action' as const, 'terminal' as const) }),
  },
);

describe('any output of any units', () => {
  it('comes back in its order, up to the cap, with true totals; and verifies', async () => {
    const settings = fc.record({ cap: fc.nat(400), batch: fc.nat(200) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), settings, fc.boolean(), async (steps, sizes, sealed) => {
        const { writer, bytes } = memoryWriter(key, sizes);
        writer.append(testAction(1, 'x'));
        const sent = new Map<string, number>();
        const all = new Map<number, Map<string, Buffer[]>>();
        const expected: string[] = [];
        const totals: object[] = [];
        for (const one of steps) {
          if (one.do === 'flush') writer.flush();
          else if (one.do === 'action') writer.append(testAction(9, 'y'));
          else if (one.do === 'terminal') {
            writer.append({ type: 'terminal', unit: 5, direction: 'input', data: Uint8Array.of(1) });
          } else if (one.do === 'output') {
            const { unit, stream, data } = one;
            writer.append(output(unit, stream, data));
            const place = `${unit}/${stream}`;
            const before = sent.get(place) ?? 0;
            for (const byte of data.subarray(0, Math.max(sizes.cap - before, 0))) expected.push(`${place}/${byte}`);
            sent.set(place, before + data.length);
            const streams = all.get(unit) ?? new Map<string, Buffer[]>();
            all.set(unit, streams);
            streams.set(stream, [...(streams.get(stream) ?? []), Buffer.from(data)]);
          } else if (one.do === 'complete') {
            writer.append(complete(one.unit));
            const streams = [...(all.get(one.unit) ?? [])];
            all.delete(one.unit);
            for (const [stream] of streams) sent.delete(`${one.unit}/${stream}`);
            const listed = streams.map(([stream, data]) => ({
              stream,
              bytes: Buffer.concat(data).length,
              digest: sha256(...data),
            }));
            totals.push(listed.length > 0 ? { unit: one.unit, streams: listed } : { unit: one.unit, bytes: 0 });
          }
        }
        writer.flush();
        if (sealed) writer.finish('client_closed');
        const got = (await only('output', bytes())).flatMap(({ unit, stream, data }) =>
          [...data].map((byte) => `${unit}/${stream}/${byte}`),
        );
        expect(got).toEqual(expected);
        const done = await only('complete', bytes());
        expect(done.filter(({ unfinished }) => !unfinished)).toMatchObject(totals);
        expect(done.filter(({ unfinished }) => unfinished)).toHaveLength(sealed ? all.size : 0);
        const report = verify(bytes());
        expect(report.faults.map(({ code }) => code)).toEqual(sealed ? [] : ['end_missing', 'seal_missing']);
        if (sealed || sizes.cap > 0) expect(report.unfinished).toBeGreaterThanOrEqual(sealed ? all.size : 0);
      }),
      { numRuns: 300 },
    );
  });
});
