import { describe, expect, it } from 'vitest';
import {
  framesOf,
  memoryWriter,
  sampleRecording,
  testKey,
  testRow,
  verifierPorts,
} from '../../../../test/harness/recording.ts';
import { toJsonLines } from './json-lines.ts';
import { readRecording } from './replay-reader.ts';
import { encodeRow } from './row-cells.ts';

const key = testKey();
const { inflater } = verifierPorts(key);

async function lines(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const parsed: Record<string, unknown>[] = [];
  for await (const line of toJsonLines(readRecording([bytes], inflater))) {
    expect(line.indexOf('\n')).toBe(line.length - 1);
    parsed.push(JSON.parse(line) as Record<string, unknown>);
  }
  return parsed;
}

describe('the export as JSON Lines', () => {
  it('has one line per event, numbered and timed', async () => {
    const bytes = sampleRecording(key);
    const exported = await lines(bytes);
    expect(exported.map(({ n }) => n)).toEqual(framesOf(bytes).map((_, n) => n));
    expect(exported[0]).toMatchObject({ n: 0, t: 0, type: 'header', session: 'ses_test' });
    expect(exported.find(({ type }) => type === 'rows')).toMatchObject({ count: 1, rows: [['1', 'a***@example.com']] });
    expect(exported.at(-1)).toMatchObject({ type: 'seal', keyId: key.signer.keyId });
  });

  it('writes cells of binary columns, and what is no text, as hex', async () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append({
      type: 'shape',
      unit: 1,
      columns: [
        { name: 'a', type: 'int4', format: 'binary' },
        { name: 'b', type: 'text', format: 'text' },
        { name: 'c', type: 'text', format: 'text' },
      ],
    });
    writer.rows(encodeRow([Uint8Array.of(0, 0, 0, 7), Uint8Array.of(0xff), null]));
    writer.rows(testRow('1', 'line\nbreak \ufeffbom', ''));
    writer.append({ type: 'terminal', unit: 1, direction: 'output', data: Uint8Array.of(0xc3) });
    writer.finish('client_closed');
    const exported = await lines(bytes());
    expect(exported.find(({ type }) => type === 'rows')).toMatchObject({
      rows: [
        [{ hex: '00000007' }, { hex: 'ff' }, null],
        [{ hex: '31' }, 'line\nbreak \ufeffbom', ''],
      ],
    });
    expect(exported.find(({ type }) => type === 'terminal')).toMatchObject({ data: { hex: 'c3' } });
  });

  it('names what cannot be read, and goes on', async () => {
    const bytes = sampleRecording(key);
    const { start } = framesOf(bytes)[4]!;
    bytes[start + 60]! ^= 1;
    const exported = await lines(bytes);
    expect(exported[4]).toMatchObject({ n: 4, type: 'unreadable', offset: start, reason: 'checksum' });
    expect(exported).toHaveLength(framesOf(sampleRecording(key)).length);
  });
});
