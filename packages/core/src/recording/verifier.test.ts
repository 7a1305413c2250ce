import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fixChecksum,
  framesOf,
  sampleRecording,
  testKey,
  testSession,
  verifierPorts,
} from '../../../../test/harness/recording.ts';
import { payloadAt, timeAt } from './format.ts';
import { type RecordingReport, RecordingVerifier } from './verifier.ts';

const key = testKey();
const foreign = testKey();
const session = testSession();
const original = sampleRecording(key, session);
const other = sampleRecording(key, testSession('ses_other'));
const ports = verifierPorts(key);

function verify(bytes: Uint8Array, chunk = bytes.length, expected = session.id): RecordingReport {
  const verifier = new RecordingVerifier(ports, { session: expected });
  for (let at = 0; at < bytes.length; at += Math.max(chunk, 1)) verifier.push(bytes.slice(at, at + Math.max(chunk, 1)));
  return verifier.finish();
}

const frames = framesOf(original);
const last = frames.length - 1;
const frame = (n: number): { start: number; end: number; type: number } => frames[n]!;
const part = (from: number, to: number, bytes = original): Uint8Array => bytes.slice(from, to);
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Changes one byte of the frame; with its checksum put right when asked. */
function changed(n: number, at: number, checksum = false): Uint8Array {
  const bytes = original.slice();
  bytes[frame(n).start + at]! ^= 1;
  if (checksum) fixChecksum(bytes, frame(n));
  return bytes;
}

interface Tampering {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Code, and the event it is reported at. */
  readonly fault: readonly [code: string, event: number | undefined];
}

const tamperings: readonly Tampering[] = [
  { what: 'a byte of the magic flipped', bytes: flipped(3), fault: ['magic', undefined] },
  { what: 'a byte of the header flipped', bytes: changed(0, payloadAt + 5), fault: ['checksum', 0] },
  { what: 'a byte of an event flipped', bytes: changed(4, payloadAt + 5), fault: ['checksum', 4] },
  { what: 'a flip with the checksum put right', bytes: changed(4, payloadAt + 30, true), fault: ['chain', 5] },
  { what: 'a length changed by one', bytes: changed(4, 3), fault: ['checksum', 4] },
  { what: 'a length far beyond the file', bytes: changed(4, 1), fault: ['length', 4] },
  { what: 'a time moved, checksum put right', bytes: changed(4, timeAt + 5, true), fault: ['chain', 5] },
  { what: 'a type changed, checksum put right', bytes: changed(4, 4, true), fault: ['content', 4] },
  { what: 'a flag set, checksum put right', bytes: changed(4, 5, true), fault: ['content', 4] },
  {
    what: 'the end event changed, checksum put right',
    bytes: changed(last - 1, payloadAt + 30, true),
    fault: ['chain', last],
  },
  {
    what: 'the signature changed, checksum put right',
    bytes: changed(last, payloadAt + 40, true),
    fault: ['signature', last],
  },
  {
    what: 'the time of the seal moved, checksum put right',
    bytes: changed(last, timeAt + 1, true),
    fault: ['time', last],
  },
  { what: 'the count in the seal changed', bytes: changed(last, payloadAt + 15, true), fault: ['seal_count', last] },
  { what: 'the key id in the seal changed', bytes: changed(last, payloadAt + 2, true), fault: ['foreign_key', last] },
  { what: 'cut in the middle of an event', bytes: part(0, frame(5).end - 3), fault: ['cut', 5] },
  { what: 'cut between two events', bytes: part(0, frame(5).end), fault: ['seal_missing', undefined] },
  { what: 'the seal cut off', bytes: part(0, frame(last).start), fault: ['seal_missing', undefined] },
  { what: 'end and seal cut off', bytes: part(0, frame(last - 1).start), fault: ['end_missing', undefined] },
  {
    what: 'an event removed',
    bytes: join(part(0, frame(4).start), part(frame(5).start, original.length)),
    fault: ['chain', 4],
  },
  {
    what: 'the last event before the end removed',
    bytes: join(part(0, frame(last - 2).start), part(frame(last - 1).start, original.length)),
    fault: ['chain', last - 2],
  },
  {
    what: 'the header removed',
    bytes: join(part(0, 12), part(frame(1).start, original.length)),
    fault: ['header_missing', 0],
  },
  {
    what: 'two events swapped',
    bytes: join(
      part(0, frame(4).start),
      part(frame(5).start, frame(5).end),
      part(frame(4).start, frame(4).end),
      part(frame(6).start, original.length),
    ),
    fault: ['reordered', 5],
  },
  {
    what: 'an event twice',
    bytes: join(part(0, frame(4).end), part(frame(4).start, original.length)),
    fault: ['duplicate', 5],
  },
  {
    what: 'an old event again, later',
    bytes: join(part(0, frame(7).end), part(frame(4).start, frame(4).end), part(frame(8).start, original.length)),
    fault: ['duplicate', 8],
  },
  {
    what: 'an event of another recording put in',
    bytes: join(
      part(0, frame(4).start),
      part(framesOf(other)[4]!.start, framesOf(other)[4]!.end, other),
      part(frame(4).start, original.length),
    ),
    fault: ['chain', 4],
  },
  {
    what: 'the rest taken from another recording',
    bytes: join(part(0, frame(4).start), part(framesOf(other)[4]!.start, other.length, other)),
    fault: ['chain', 4],
  },
  {
    what: 'two recordings in one file',
    bytes: join(original, other),
    fault: ['trailing', undefined],
  },
  { what: 'a byte behind the seal', bytes: join(original, Uint8Array.of(7)), fault: ['trailing', undefined] },
  { what: 'zeros behind the seal', bytes: join(original, new Uint8Array(4096)), fault: ['trailing', undefined] },
  { what: 'sealed with another key', bytes: sampleRecording(foreign, session), fault: ['foreign_key', last] },
  { what: 'the recording of another session', bytes: other, fault: ['name', 0] },
  { what: 'an empty file', bytes: new Uint8Array(0), fault: ['header_missing', undefined] },
  { what: 'a file of zeros', bytes: new Uint8Array(10_000), fault: ['header_missing', undefined] },
  {
    what: 'line ends translated',
    bytes: Uint8Array.from([...original].filter((byte) => byte !== 0x0d)),
    fault: ['magic', undefined],
  },
];

function flipped(at: number): Uint8Array {
  const bytes = original.slice();
  bytes[at]! ^= 1;
  return bytes;
}

describe('verifying a recording', () => {
  it('finds nothing wrong with what the writer made', () => {
    const report = verify(original);
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ events: last, sealedBy: key.signer.keyId, recovered: false, open: false });
    expect(report.header?.session).toBe(session.id);
    expect(report.end).toMatchObject({ reason: 'client_closed', lost: 0, counts: { units: 3, allowed: 3, rows: 3 } });
  });

  it.each(tamperings)('reports $what', ({ bytes, fault }) => {
    const found = verify(bytes).faults.map(({ code, event }) => [code, event]);
    expect(found).toContainEqual([...fault]);
  });

  it.each(tamperings)('reports the same for $what, however it is cut into chunks', ({ bytes }) => {
    expect(verify(bytes, 7)).toEqual(verify(bytes));
  });

  it('does not take a cut recording for one in progress', () => {
    expect(verify(part(0, frame(5).end)).open).toBe(false);
  });

  it('tells a recording in progress by its reserve, and still names the missing seal', () => {
    const report = verify(join(part(0, frame(5).end), new Uint8Array(5000)));
    expect(report.open).toBe(true);
    expect(report.faults.map(({ code }) => code)).toEqual(['end_missing', 'seal_missing']);
  });

  it('reports every one of several faults', () => {
    const bytes = changed(2, payloadAt + 3);
    bytes[frame(6).start + payloadAt + 3]! ^= 4;
    bytes[frame(9).start + payloadAt + 3]! ^= 4;
    const damaged = verify(join(bytes, Uint8Array.of(1)))
      .faults.filter(({ code }) => code === 'checksum' || code === 'trailing')
      .map(({ code, event }) => [code, event]);
    expect(damaged).toEqual([
      ['checksum', 2],
      ['checksum', 6],
      ['checksum', 9],
      ['trailing', undefined],
    ]);
  });

  it('names the byte where the damaged event begins', () => {
    expect(verify(changed(4, payloadAt + 5)).faults[0]).toMatchObject({ offset: frame(4).start });
  });

  it('finds any flipped bit anywhere', () => {
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(7), (at, bit) => {
        const bytes = original.slice();
        bytes[at]! ^= 1 << bit;
        expect(verify(bytes).faults).not.toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds a changed payload byte behind a correct checksum', () => {
    fc.assert(
      fc.property(fc.nat(last), fc.nat(), fc.integer({ min: 1, max: 255 }), (n, where, mask) => {
        const bytes = original.slice();
        const { start, end } = frame(n);
        // Everything but the length, which decides where the checksum is.
        bytes[start + 4 + (where % (end - start - 8))]! ^= mask;
        fixChecksum(bytes, frame(n));
        expect(verify(bytes).faults).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('reports any truncation', () => {
    fc.assert(
      fc.property(fc.nat(original.length - 1), (size) => {
        expect(verify(original.slice(0, size)).faults).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('survives any bytes at all, in any chunks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 1, max: 200 }), (bytes, chunk) => {
        expect(verify(bytes, chunk).faults).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
