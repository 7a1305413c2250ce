import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testKey, testSession, verifierPorts } from '../../../../test/harness/recording.ts';
import type { HeaderEvent } from './entry.ts';
import { eventTypes, openUnits, toHex, unitStreams } from './format.ts';
import { FrameBuffer } from './frame-buffer.ts';
import { type RecordingReport, RecordingVerifier } from './verifier.ts';
import { appendSeal } from './writer.ts';

const key = testKey();
const ports = verifierPorts(key);
const sha256 = (...parts: readonly (string | Uint8Array)[]): string =>
  createHash('sha256')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest('hex');

type Crafted =
  | { readonly unit: number; readonly stream: string; readonly data: string }
  | { readonly type: 'capped' | 'complete'; readonly [field: string]: unknown };

/** A recording whose chain and seal are right, whatever its events say: made by whoever has the key. */
function verify(events: readonly Crafted[], damage?: (bytes: Uint8Array) => void): RecordingReport {
  const session = testSession();
  const header: HeaderEvent = {
    type: 'header',
    version: 1,
    session: session.id,
    principal: session.principal,
    target: session.target,
    client: session.client,
    startedAt: session.startedAt,
    policyHash: '',
  };
  const frames = new FrameBuffer(ports.digests, { deflate: () => undefined });
  frames.text(eventTypes.header, 0, JSON.stringify(header));
  for (const event of events) {
    if ('type' in event) {
      frames.text(eventTypes[event.type], 0, JSON.stringify(event));
      continue;
    }
    const payload = Buffer.concat([Buffer.alloc(5), Buffer.from(event.stream), Buffer.from(event.data)]);
    payload.writeUInt32BE(event.unit, 0);
    payload[4] = event.stream.length;
    frames.binary(eventTypes.output, 0, payload);
  }
  frames.text(eventTypes.end, 0, JSON.stringify({ type: 'end', reason: 'client_closed', lost: 0 }));
  appendSeal(frames, header, key.signer);
  const bytes = frames.waiting().slice();
  damage?.(bytes);
  const verifier = new RecordingVerifier(ports);
  verifier.push(bytes);
  return verifier.finish();
}

const out = { unit: 1, stream: 'stdout', data: 'hello' };
const err = { unit: 1, stream: 'stderr', data: 'oh' };
const stdout = { stream: 'stdout', bytes: 5, digest: sha256('hello') };
const stderr = { stream: 'stderr', bytes: 2, digest: sha256('oh') };
const both = sha256(Buffer.from(stdout.digest, 'hex'), Buffer.from(stderr.digest, 'hex'));
const done = {
  type: 'complete',
  unit: 1,
  tag: '',
  rows: 0,
  bytes: 5,
  digest: stdout.digest,
  streams: [stdout],
} as const;
const doneBoth = { ...done, bytes: 7, digest: both, streams: [stdout, stderr] } as const;
const capped = { type: 'capped', afterRows: 0, afterBytes: 5, unit: 1, stream: 'stdout' } as const;

describe('totals of output', () => {
  it.each<[string, readonly Crafted[]]>([
    ['one stream', [out, done]],
    ['two streams', [out, err, doneBoth]],
    ['output of another unit in between', [out, { ...out, unit: 2 }, done, { ...done, unit: 2 }]],
    ['a unit number used again', [out, done, out, done]],
    ['more than is kept, behind the cap', [out, capped, { ...done, bytes: 9, streams: [{ ...stdout, bytes: 9 }] }]],
  ])('are right for %s', (_what, events) => {
    expect(verify(events)).toMatchObject({ faults: [], unfinished: 0 });
  });

  it.each<[string, readonly Crafted[]]>([
    ['more bytes than there are', [out, { ...done, bytes: 6, streams: [{ ...stdout, bytes: 6 }] }]],
    ['fewer bytes than there are', [out, { ...done, bytes: 4, streams: [{ ...stdout, bytes: 4 }] }]],
    ['another digest of a stream', [out, { ...done, streams: [{ ...stdout, digest: sha256('hullo') }] }]],
    ['another digest of the unit', [out, { ...done, digest: sha256('hullo') }]],
    ['another sum', [out, { ...done, bytes: 6 }]],
    ['rows', [out, { ...done, rows: 1 }]],
    ['a stream left out', [out, err, done]],
    ['a stream that is not there', [out, doneBoth]],
    ['a stream named twice', [out, { ...done, bytes: 10, streams: [stdout, stdout] }]],
    ['all streams left out', [out, { ...done, streams: undefined }]],
    ['output that nothing shows', [done]],
    ['a cap at another place', [out, { ...capped, afterBytes: 4 }, done]],
    ['a cap on a stream without output', [out, { ...capped, stream: 'stderr' }, done]],
    ['output behind the cap', [out, capped, out, done]],
    ['less than is kept, behind the cap', [out, capped, { ...done, bytes: 4, streams: [{ ...stdout, bytes: 4 }] }]],
    ['too many units', Array.from({ length: openUnits + 1 }, (_, unit) => ({ ...out, unit }))],
    ['too many streams', Array.from({ length: unitStreams + 1 }, (_, i) => ({ ...out, stream: `s${i}` }))],
  ])('are a fault with %s', (_what, events) => {
    const codes = new Set(verify(events).faults.map(({ code }) => code));
    expect([...codes]).toEqual(['totals']);
  });

  it('count units that did not come to their end, and find no fault in that', () => {
    const events = [out, { ...out, unit: 2 }, { ...out, unit: 3 }, done, { ...done, unit: 3, unfinished: true }];
    expect(verify(events)).toMatchObject({ faults: [], unfinished: 2 });
  });

  it('are not doubted for what damage hid', () => {
    const report = verify([out, err, doneBoth], (bytes) => {
      const at = Buffer.from(bytes).indexOf('stdouthello');
      bytes[at + 8]! ^= 1;
    });
    expect(report.faults.map(({ code }) => code)).toEqual(['checksum', 'seal_count']);
  });

  it('are the SHA-256 that everybody can compute', () => {
    expect(toHex(ports.digests.sha256(Buffer.from('hello')))).toBe(stdout.digest);
  });
});
