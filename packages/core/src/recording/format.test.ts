import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memoryWriter, sampleRecording, testAction, testKey, testRow } from '../../../../test/harness/recording.ts';
import { crc32c } from './crc32c.ts';
import { eventTypes, isSessionId, maxLength } from './format.ts';

const page = readFileSync(new URL('../../../../docs/recording-format.md', import.meta.url), 'utf8');
const key = testKey();

interface PlainEvent {
  readonly type: number;
  readonly payload: Buffer;
  readonly previous: string;
}

/** A reader written from the page alone, without the code it describes (but for the checksum). */
function readFromThePage(file: Buffer): { events: PlainEvent[]; head: string } {
  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const events: PlainEvent[] = [];
  let at = 12;
  let hash = sha256(file.subarray(0, 12));
  let head = '';
  while (at < file.length) {
    const length = file.readUInt32BE(at);
    const frame = file.subarray(at, at + 4 + length);
    expect(file.readUInt32BE(at + 4 + length)).toBe(crc32c(frame));
    const previous = frame.subarray(12, 44).toString('hex');
    expect(previous).toBe(hash);
    const stored = frame.subarray(44);
    const payload = frame[5] === 1 ? inflateRawSync(stored.subarray(4)) : stored;
    if (frame[5] === 1) expect(payload.length).toBe(stored.readUInt32BE(0));
    if (frame[4] !== 14) head = sha256(frame);
    events.push({ type: frame[4]!, payload, previous });
    hash = sha256(frame);
    at += 4 + length + 4;
  }
  return { events, head };
}

describe('the page about the format', () => {
  it('lists the event types with their numbers', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (\w+) \| /gm)].map(([, number, name]) => [name, Number(number)]);
    expect(Object.fromEntries(rows.filter(([name]) => name! in eventTypes))).toEqual(eventTypes);
  });

  it('gives the largest length', () => {
    expect(page).toContain(String(maxLength));
  });

  it('is enough to read a recording and to check its seal', () => {
    const file = Buffer.from(sampleRecording(key));
    const { events, head } = readFromThePage(file);
    const header = JSON.parse(String(events[0]!.payload)) as {
      session: string;
      target: { name: string };
      principal: { id: string };
    };
    const seal = events.at(-1)!;
    const text = (value: string): Buffer => {
      const bytes = Buffer.from(value);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(bytes.length);
      return Buffer.concat([size, bytes]);
    };
    const message = Buffer.concat([
      text('sluice recording seal v1'),
      text(header.session),
      text(header.target.name),
      text(header.principal.id),
      seal.payload.subarray(8, 16),
      Buffer.from(head, 'hex'),
    ]);
    const x = Buffer.from(key.publicKey.publicKey, 'base64').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, message, publicKey, seal.payload.subarray(16))).toBe(true);
    expect(seal.previous).toBe(head);
    expect(seal.payload.readBigUInt64BE(8)).toBe(BigInt(events.length - 1));
    expect(seal.payload.subarray(0, 8).toString('hex')).toBe(key.publicKey.keyId);
  });

  it('is enough to read rows, compressed ones too, and to check their digest', () => {
    const { writer, bytes } = memoryWriter(key);
    writer.append(testAction(1, 'SELECT'));
    for (let i = 0; i < 500; i++) writer.rows(testRow(String(i), 'a value that repeats', null));
    writer.append({ type: 'complete', unit: 1, tag: 'SELECT', rows: 0, bytes: 0, digest: '' });
    writer.finish('client_closed');
    const { events } = readFromThePage(Buffer.from(bytes()));
    const rows = events.filter(({ type }) => type === 5);
    const complete = JSON.parse(String(events.find(({ type }) => type === 7)!.payload)) as {
      rows: number;
      digest: string;
    };
    expect(rows.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)).toBe(complete.rows);
    const digest = createHash('sha256');
    for (const { payload } of rows) digest.update(payload.subarray(4));
    expect(digest.digest('hex')).toBe(complete.digest);
    expect(bytes().length).toBeLessThan(10_000);
  });
});

describe('session ids', () => {
  it.each(['ses_abc', 'gateway-20260101T000000000Z-00ff', 'A', '0'])('may be %s', (id) => {
    expect(isSessionId(id)).toBe(true);
  });
  it.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'a.b', '-a', '_a', 'a\n', 'a b', 'x'.repeat(129)])(
    'may not be %j',
    (id) => {
      expect(isSessionId(id)).toBe(false);
    },
  );
});
