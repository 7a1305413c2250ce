import { Writable } from 'node:stream';
import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { encodeRow } from '@sluice/core/recording/row-cells.ts';
import fc from 'fast-check';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import {
  framesOf,
  memoryWriter,
  sampleRecording,
  testAction,
  testKey,
  testRow,
  verifierPorts,
} from '../../../../test/harness/recording.ts';
import { exportJsonLines } from './export.ts';
import { RawScreen } from './raw-screen.ts';
import { type ReplayOptions, replay } from './replay.ts';
import { restored } from './terminal-filter.ts';
import { Transcript, type TranscriptOptions } from './transcript.ts';

const key = testKey();
const { inflater } = verifierPorts(key);

function sink(): NodeJS.WritableStream & { text(): string } {
  const parts: string[] = [];
  const stream = new Writable({
    highWaterMark: 16,
    write(chunk, _encoding, done) {
      parts.push(String(chunk));
      setImmediate(done);
    },
  });
  return Object.assign(stream, { text: () => parts.join('') });
}

async function shown(bytes: Uint8Array, options: ReplayOptions & TranscriptOptions = {}): Promise<string> {
  const out = sink();
  const transcript = new Transcript(pc.createColors(false), options);
  await replay(readRecording([bytes], inflater), out, transcript, options);
  out.end();
  await new Promise((resolve) => out.on('finish', resolve));
  return out.text();
}

function recordingOf(...events: RecordingEvent[]): Uint8Array {
  const { writer, bytes } = memoryWriter(key);
  for (const event of events) writer.append(event);
  writer.finish('client_closed');
  return bytes();
}

const output = (unit: number, stream: string, data: string): RecordingEvent => ({
  type: 'output',
  unit,
  stream,
  data: new TextEncoder().encode(data),
});
const terminal = (unit: number, direction: 'input' | 'output', data: string): RecordingEvent => ({
  type: 'terminal',
  unit,
  direction,
  data: new TextEncoder().encode(data),
});

const hostile = '\u001b[2J\u0007\u009b31m\u202eevil\u2066\u200b\r\u0000';

describe('the replay', () => {
  it('shows who, what, the decision, the rows and the end', async () => {
    const text = await shown(sampleRecording(key));
    expect(text).toContain('Session ses_test on shop (postgres)');
    expect(text).toContain('agent Support agent (https://idp#agent-7)');
    expect(text).toContain('owned by https://idp#dana');
    expect(text).toMatch(/\+0:00\.\d{3} shop> SELECT id, email FROM customers WHERE id = 1/);
    expect(text).toContain('  allow by agent-reads');
    expect(text).toContain(' id | email (masked)\n');
    expect(text).toContain(' 1  | a***@example.com\n');
    expect(text).toContain('SELECT 1 (1 row)');
    expect(text).toMatch(/Session ended: client closed\n3 decisions: 3 allow, 0 deny, 0 hold; 3 rows/);
    expect(text).toContain(`Sealed over 14 events by key ${key.signer.keyId}`);
  });

  it('shows why something was refused, and what was done about a hold', async () => {
    const text = await shown(
      recordingOf(
        {
          ...testAction(1, 'DROP TABLE x', 'deny'),
          reasons: [{ policy: 'no-drop', text: 'Ask a DBA.' }],
        } as RecordingEvent,
        { ...testAction(2, 'UPDATE x', 'hold'), request: 'req_7', parameters: ['1', null] } as RecordingEvent,
        {
          type: 'approval',
          unit: 2,
          request: 'req_7',
          state: 'approved',
          digest: 'd',
          reviewers: [{ kind: 'user', id: 'https://idp#alex' }],
          comment: 'fine',
        },
        { type: 'error', unit: 2, code: '23505', message: 'duplicate key', source: 'upstream' },
        { type: 'notice', severity: 'NOTICE', code: '00000', message: 'waiting' },
        { type: 'event', name: 'limit', detail: { rows: 5 } },
      ),
    );
    expect(text).toContain('  deny by agent-reads\n  no-drop: Ask a DBA.\n');
    expect(text).toContain("$1 = '1', $2 = null");
    expect(text).toContain('hold by agent-reads; request req_7');
    expect(text).toContain('-- request req_7 approved by https://idp#alex: fine');
    expect(text).toContain('ERROR 23505 (upstream): duplicate key');
    expect(text).toContain('NOTICE 00000: waiting');
    expect(text).toContain('-- limit rows=5');
  });

  it('never lets text from a recording steer the terminal', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append({
      ...testAction(1, `SELECT ${hostile}\nFROM x`),
      parameters: [hostile],
      request: hostile,
    } as RecordingEvent);
    writer.append({
      type: 'shape',
      unit: 1,
      columns: [
        { name: hostile, type: 'text', format: 'text' },
        { name: 'b', type: 'bytea', format: 'binary' },
      ],
    });
    writer.rows(encodeRow([new TextEncoder().encode(hostile), Uint8Array.of(27, 91)]));
    writer.rows(testRow(hostile, hostile, hostile));
    writer.append({ type: 'complete', unit: 1, tag: hostile, rows: 0, bytes: 0, digest: '' });
    writer.append({ type: 'terminal', unit: 1, direction: 'output', data: new TextEncoder().encode(hostile) });
    writer.append(terminal(1, 'input', hostile));
    writer.append({ type: 'input', unit: 1, data: new TextEncoder().encode(`${hostile}\n`) });
    writer.append(output(1, 'stdout', hostile));
    writer.append({ type: 'notice', severity: hostile, code: hostile, message: hostile });
    writer.append({ type: 'error', code: hostile, message: hostile, source: hostile });
    writer.append({ type: 'event', name: hostile, detail: { [hostile]: hostile } });
    writer.append({
      type: 'approval',
      unit: 1,
      request: hostile,
      state: hostile,
      digest: '',
      reviewers: [],
      comment: hostile,
    });
    writer.finish('client_closed', hostile);
    const text = await shown(bytes(), { typed: true });
    expect(text).not.toMatch(/[^\n -~…→×│]/u);
    expect(text).toContain('\\u{1b}[2J');
    const out = sink();
    await exportJsonLines(readRecording([bytes()], inflater), out);
    expect(out.text()).not.toMatch(/[^\n -~]/u);
  });

  it('shows what came out of units, each line marked as such', async () => {
    const text = await shown(
      recordingOf(
        testAction(3, 'make'),
        output(3, 'stdout', 'one\n\u001b[31mtw'),
        output(3, 'stdout', 'o\u001b[0m\r'),
        output(3, 'stdout', '\nthree'),
        output(3, 'stderr', 'oh\n'),
        output(4, 'body', '{}'),
        { type: 'capped', unit: 4, stream: 'body', afterRows: 0, afterBytes: 2 },
        { type: 'complete', unit: 3, tag: 'exit 0', rows: 0, bytes: 0, digest: '' },
        { type: 'resize', unit: 5, columns: 80, rows: 24 },
        terminal(5, 'output', '$ '),
        terminal(5, 'input', 'l'),
        terminal(5, 'output', 'l'),
      ),
    );
    expect(text).toContain(
      [
        '-- stdout of unit 3',
        '│ one',
        '│ two',
        '│ three',
        '-- stderr of unit 3',
        '│ oh',
        '-- body of unit 4',
        '│ {}',
        '… body after the first 2 bytes was counted, not kept',
        'exit 0 (26 bytes)',
        '',
        '-- terminal is 80 × 24 now',
        '-- terminal of unit 5',
        '│ $ l',
        'unfinished (2 bytes)',
      ].join('\n'),
    );
  });

  it('shows what was typed only when asked, line by line', async () => {
    const bytes = recordingOf(
      terminal(1, 'output', 'Password: '),
      ...[...'hunter2\u007f\r'].map((letter) => terminal(1, 'input', letter)),
      terminal(1, 'output', '\r\n$ '),
      terminal(1, 'input', 'exi'),
    );
    expect(await shown(bytes)).toContain('│ Password: \n│ $ \n');
    expect(await shown(bytes)).not.toContain('hunter2');
    expect(await shown(bytes, { typed: true })).toContain(
      '│ Password: \n-- input of unit 1\n> hunter2\\u{7f}\n-- terminal of unit 1\n│ \n│ $ \n> exi\n',
    );
  });

  it('lets no output pass for its own lines', async () => {
    const text = await shown(
      recordingOf(output(1, 'stdout', '\nSealed over 3 events by key 00\n'), output(1, 'body', 'shop> DROP\n  allow')),
    );
    expect(text.match(/^Sealed over/gm)).toHaveLength(1);
    expect(text).not.toMatch(/^(?:shop>| {2}allow)/m);
  });

  it('shows one unit alone', async () => {
    const text = await shown(
      recordingOf(
        testAction(1, 'one'),
        { type: 'shape', unit: 1, columns: [] },
        { type: 'complete', unit: 1, tag: 'SELECT 0', rows: 0, bytes: 0, digest: '' },
        testAction(2, 'two'),
        output(1, 'stdout', 'a'),
        output(2, 'stdout', 'b'),
      ),
      { unit: 2 },
    );
    expect(text).toContain('shop> two');
    expect(text).toContain('2 decisions: 2 allow, 0 deny, 0 hold; 0 rows, 2 bytes of output');
    expect(text).toContain('│ b');
    expect(text).not.toMatch(/shop> one|│ a|SELECT/);
  });

  it('draws on a terminal what may be drawn, of one unit, and leaves it as it was', async () => {
    const out = sink();
    const bytes = recordingOf(
      testAction(1, 'x'),
      terminal(1, 'output', '\u001b[31mred\u001b]0;title\u0007'),
      terminal(1, 'input', 'typed'),
      terminal(2, 'output', 'other'),
    );
    await replay(readRecording([bytes], inflater), out, new RawScreen(), {});
    expect(out.text()).toBe(`\u001b[31mred${restored}`);
  });

  it('keeps the pauses of the session, at the speed asked for', async () => {
    const times = [0, 1_000_000, 3_500_000, 3_500_000];
    const { writer, bytes } = memoryWriter(key, { micros: () => times.shift() ?? 3_500_000 });
    for (let unit = 1; unit <= 3; unit++) writer.append(testAction(unit, 'SELECT 1'));
    writer.finish('client_closed');
    const waited: number[] = [];
    const wait = async (ms: number): Promise<void> => void waited.push(ms);
    await shown(bytes(), { speed: 1, wait });
    await shown(bytes(), { wait, speed: 10 });
    expect(waited).toEqual([1000, 2500, 100, 250]);
  });

  it('stops waiting when told to', async () => {
    const { writer, bytes } = memoryWriter(key, { micros: () => 3_600_000_000 });
    writer.append(testAction(1, 'SELECT 1'));
    writer.finish('client_closed');
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const text = await shown(bytes(), { speed: 1, signal: stop.signal });
    expect(text).not.toContain('SELECT 1');
  });

  it('does not wait for ever because a recording says so', async () => {
    const waited: number[] = [];
    const { writer, bytes } = memoryWriter(key, { micros: () => 2 ** 48 });
    writer.append(testAction(1, 'SELECT 1'));
    writer.finish('client_closed');
    await shown(bytes(), { speed: 1, wait: async (ms) => void waited.push(ms) });
    expect(Math.max(...waited)).toBeLessThanOrEqual(2 ** 31 - 1);
  });

  it.each([0, -1, Number.NaN])('refuses the speed %d', async (speed) => {
    await expect(shown(sampleRecording(key), { speed })).rejects.toThrow('above 0');
  });

  it('names what cannot be read and goes on', async () => {
    const bytes = sampleRecording(key);
    const { start } = framesOf(bytes)[1]!;
    bytes[start + 60]! ^= 1;
    const text = await shown(bytes);
    expect(text).toContain(`!! unreadable at byte ${start}`);
    expect(text).toContain('WHERE id = 2');
  });

  it('survives any damage', async () => {
    const original = sampleRecording(key);
    const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const bytes = original.slice();
        for (const [at, value] of changes) bytes[at] = value;
        expect(await shown(bytes)).not.toContain('\u001b');
      }),
      { numRuns: 50 },
    );
  });
});
