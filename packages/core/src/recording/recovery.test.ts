import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deflateAll, framesOf, sampleRecording, testKey, verifierPorts } from '../../../../test/harness/recording.ts';
import { closingFrames, type Found, RecoveryScan } from './recovery.ts';
import { type RecordingReport, RecordingVerifier } from './verifier.ts';

const key = testKey();
const ports = verifierPorts(key);
const original = sampleRecording(key);
const frames = framesOf(original);
const unsealed = original.slice(0, frames.at(-2)!.start);

function scan(bytes: Uint8Array): Found {
  const recovery = new RecoveryScan(ports.digests, ports.inflater);
  recovery.push(bytes);
  return recovery.finish();
}

function recovered(bytes: Uint8Array): { found: Found; report: RecordingReport } {
  const found = scan(bytes);
  const facts = { at: 1, droppedBytes: bytes.length - found.wholeBytes, droppedDigest: '' };
  const tools = { ...ports, deflater: deflateAll, signer: key.signer };
  const closing = closingFrames(found.header!, found, facts, tools);
  const verifier = new RecordingVerifier(ports);
  verifier.push(bytes.slice(0, found.wholeBytes));
  verifier.push(closing.bytes.slice());
  return { found, report: verifier.finish() };
}

describe('recovering a recording', () => {
  it('takes any truncation up to its last whole event, and then it verifies', () => {
    fc.assert(
      fc.property(fc.integer({ min: frames[0]!.end, max: unsealed.length }), fc.nat(5000), (size, zeros) => {
        const bytes = new Uint8Array(size + zeros);
        bytes.set(unsealed.subarray(0, size));
        const whole = frames.filter(({ end }) => end <= size).length;
        const { found, report } = recovered(bytes);
        expect(found).toMatchObject({ sealed: false, ended: false, wholeBytes: frames[whole - 1]!.end });
        expect(report.faults).toEqual([]);
        expect(report).toMatchObject({ recovered: true, events: whole + 2, end: { reason: 'interrupted' } });
      }),
      { numRuns: 300 },
    );
  });

  it('only adds the seal when the end was already written', () => {
    const { report } = recovered(original.slice(0, frames.at(-1)!.start));
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ recovered: false, end: { reason: 'client_closed' } });
  });

  it('stops at damage, and tells that events stand behind it', () => {
    const bytes = unsealed.slice();
    bytes[frames[3]!.start + 60]! ^= 1;
    expect(scan(bytes)).toMatchObject({ wholeBytes: frames[2]!.end, eventsBehind: frames.length - 2 - 4 });
  });

  it('does not follow events that were put in', () => {
    const other = sampleRecording(key);
    const bytes = Buffer.concat([unsealed, other.subarray(frames[2]!.start, frames[3]!.end)]);
    expect(scan(bytes)).toMatchObject({ wholeBytes: unsealed.length, eventsBehind: 2 });
  });

  it('recognises a sealed recording', () => {
    expect(scan(original)).toMatchObject({ sealed: true, ended: true, wholeBytes: original.length });
  });

  it('finds no header in a file without one', () => {
    expect(scan(original.slice(0, 100)).header).toBeUndefined();
    expect(scan(new Uint8Array(500)).header).toBeUndefined();
  });
});
