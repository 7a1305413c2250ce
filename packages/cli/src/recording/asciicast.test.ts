import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  memoryWriter,
  sampleRecording,
  testAction,
  testKey,
  verifierPorts,
} from '../../../../test/harness/recording.ts';
import { Asciicast, type CastOptions } from './asciicast.ts';

type Line = [number, string, string];

const key = testKey();
const { inflater } = verifierPorts(key);
const utf8 = new TextEncoder();
const seconds = 1_000_000;

/** Events with the seconds at which they came. */
function recordingOf(...events: readonly (readonly [at: number, event: RecordingEvent])[]): Uint8Array {
  let now = 0;
  const { writer, bytes } = memoryWriter(key, { micros: () => now });
  for (const [at, event] of events) {
    now = at * seconds;
    writer.append(event);
    writer.flush();
  }
  writer.finish('client_closed');
  return bytes();
}

async function castText(bytes: Uint8Array, options: CastOptions = {}): Promise<string> {
  const cast = new Asciicast(options);
  let text = '';
  for await (const item of readRecording([bytes], inflater)) text += cast.text(item);
  return text + cast.end();
}

async function cast(bytes: Uint8Array, options: CastOptions = {}): Promise<{ header: object; lines: Line[] }> {
  const [header = '', ...lines] = (await castText(bytes, options)).trimEnd().split('\n');
  return { header: JSON.parse(header) as object, lines: lines.map((line) => JSON.parse(line) as Line) };
}

const terminal = (
  unit: number,
  data: string | Uint8Array,
  direction: 'input' | 'output' = 'output',
): RecordingEvent => ({
  type: 'terminal',
  unit,
  direction,
  data: typeof data === 'string' ? utf8.encode(data) : data,
});
const output = (unit: number, data: string, stream = 'stdout'): RecordingEvent => ({
  type: 'output',
  unit,
  stream,
  data: utf8.encode(data),
});
const resize = (unit: number, columns: number, rows: number): RecordingEvent => ({
  type: 'resize',
  unit,
  columns,
  rows,
});
const done = (unit: number, tag: string): RecordingEvent => ({
  type: 'complete',
  unit,
  tag,
  rows: 0,
  bytes: 0,
  digest: '',
});

describe('an asciicast', () => {
  it('has the terminal, what it showed with the pauses between, its sizes, the decisions and the exit', async () => {
    const bytes = recordingOf(
      [0, testAction(1, 'echo before')],
      [2, testAction(3, 'bash -l')],
      [2.5, resize(3, 120, 40)],
      [3, terminal(3, '$ ')],
      [4.25, terminal(3, 'l', 'input')],
      [4.5, terminal(3, 'l')],
      [5, resize(3, 100, 30)],
      [5.5, terminal(3, '\u001b[1mls\u001b[0m\r\n')],
      [6, done(3, 'exit 7')],
      [7, terminal(3, 'never')],
    );
    expect(await cast(bytes, { unit: 3 })).toEqual({
      header: {
        version: 3,
        term: { cols: 120, rows: 40 },
        timestamp: 1_790_000_002,
        title: 'Support agent on shop (session ses_test, unit 3)',
      },
      lines: [
        [0, 'm', '3: allow sql:select: bash -l'],
        [1, 'o', '$ '],
        [1.5, 'o', 'l'],
        [0.5, 'r', '100x30'],
        [0.5, 'o', '\u001b[1mls\u001b[0m\r\n'],
        [0.5, 'x', '7'],
      ],
    });
  });

  it('has what was typed only when asked', async () => {
    const bytes = recordingOf([1, terminal(1, 'Password: ')], [2, terminal(1, 'hunter2\r', 'input')]);
    expect(await castText(bytes)).not.toContain('hunter2');
    expect((await cast(bytes, { input: true })).lines).toEqual([
      [1, 'o', 'Password: '],
      [1, 'i', 'hunter2\r'],
    ]);
  });

  it('has commands without a terminal, with line breaks as terminals need them', async () => {
    const bytes = recordingOf(
      [0, testAction(1, 'make')],
      [1, output(1, 'one\ntwo\r\n')],
      [1.5, output(1, 'oh\n', 'stderr')],
      [2, done(1, 'exit 0')],
    );
    const { header, lines } = await cast(bytes, { unit: 1 });
    expect(header).toMatchObject({ term: { cols: 80, rows: 24 } });
    expect(lines.slice(1)).toEqual([
      [1, 'o', 'one\r\ntwo\r\n'],
      [0.5, 'o', 'oh\r\n'],
      [0.5, 'x', '0'],
    ]);
  });

  it('has all units at once, and no exit in the middle', async () => {
    const bytes = recordingOf(
      [0, testAction(1, 'sleep 5')],
      [0, testAction(2, 'DROP', 'deny')],
      [1, output(1, 'a')],
      [2, output(2, 'b')],
      [3, done(1, 'exit 0')],
      [4, output(2, 'c')],
    );
    expect((await cast(bytes)).lines).toEqual([
      [0, 'm', '1: allow sql:select: sleep 5'],
      [0, 'm', '2: deny sql:select: DROP'],
      [1, 'o', 'a'],
      [1, 'o', 'b'],
      [1, 'm', '1: exit 0'],
      [1, 'o', 'c'],
      [0, 'm', '2: '],
    ]);
  });

  it('puts characters together that came in two parts', async () => {
    const [first, second] = [utf8.encode('é').subarray(0, 1), utf8.encode('é').subarray(1)];
    const bytes = recordingOf([1, terminal(1, first)], [2, terminal(2, 'x')], [3, terminal(1, second)]);
    expect((await cast(bytes)).lines).toEqual([
      [2, 'o', 'x'],
      [1, 'o', 'é'],
    ]);
  });

  it('says when there was nothing to show', async () => {
    const asciicast = new Asciicast();
    for await (const item of readRecording([sampleRecording(key)], inflater)) asciicast.text(item);
    expect(asciicast.shown).toBe(false);
  });
});

describe('a crafted recording', () => {
  it('does not steer the terminal on which the cast is played or looked at', async () => {
    const hostile = '\u001b]52;c;cm0K\u0007\u001b[6n\u001b[?1000h\u009b5n\u202eevil';
    const bytes = recordingOf(
      [0, { ...testAction(1, hostile), name: hostile } as RecordingEvent],
      [1, terminal(1, hostile)],
      [2, output(1, hostile)],
      [3, done(1, hostile)],
      [3, { type: 'error', unit: 1, code: hostile, message: '', source: '' }],
    );
    const text = await castText(bytes);
    expect(text).not.toMatch(/[^\n -~]/);
    const { lines } = await cast(bytes);
    expect(lines.filter(([, code]) => code === 'o').map(([, , data]) => data)).toEqual([
      '5n\u202eevil',
      '5n\u202eevil',
    ]);
    expect(lines.filter(([, code]) => code === 'm').join()).toMatch(/^[ -~]*$/);
  });

  it('does not make a player allocate a screen that nobody has', async () => {
    const bytes = recordingOf(
      [0, resize(1, 0, 24)],
      [0, resize(1, 65_535, 2 ** 40)],
      [1, terminal(1, 'x')],
      [2, resize(1, 2 ** 50, 1)],
    );
    const { header, lines } = await cast(bytes);
    expect(header).toMatchObject({ term: { cols: 1000, rows: 1000 } });
    expect(lines).toEqual([
      [1, 'o', 'x'],
      [1, 'r', '1000x1'],
    ]);
  });

  it('does not make it wait for a header', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => [0, testAction(i, 'x')] as const);
    const asciicast = new Asciicast();
    let first = -1;
    let count = 0;
    for await (const item of readRecording([recordingOf(...many)], inflater)) {
      if (asciicast.text(item) !== '' && first < 0) first = count;
      count += 1;
    }
    expect(first).toBeLessThan(1100);
  });

  it('gives a cast that is one, whatever is damaged', async () => {
    const original = recordingOf(
      [0, testAction(1, 'x')],
      [1, resize(1, 80, 25)],
      [2, terminal(1, 'hello')],
      [3, output(2, 'hello')],
      [4, done(1, 'exit 1')],
    );
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(edits, fc.constantFrom(undefined, 1, 2), async (changes, unit) => {
        const bytes = original.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const { header, lines } = await cast(bytes, unit === undefined ? {} : { unit });
        expect(header).toMatchObject({ version: 3 });
        for (const [interval, code, data] of lines) {
          expect(interval).toBeGreaterThanOrEqual(0);
          expect('oirmx').toContain(code);
          expect(typeof data).toBe('string');
        }
      }),
      { numRuns: 200 },
    );
  });
});
