/** Recordings for tests: made by the real writer with real keys, in memory. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { Signer } from '@sluice/core/contract/crypto.ts';
import type { RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { crc32c } from '@sluice/core/recording/crc32c.ts';
import { FrameReader } from '@sluice/core/recording/frame-reader.ts';
import type { Deflater } from '@sluice/core/recording/ports.ts';
import { encodeRow } from '@sluice/core/recording/row-cells.ts';
import type { VerifierPorts } from '@sluice/core/recording/verifier.ts';
import { RecordingWriter } from '@sluice/core/recording/writer.ts';
import { budgetedDeflater, inflater } from '@sluice/server/crypto/deflate.ts';
import { plainDigests, startSha256 } from '@sluice/server/crypto/digests.ts';
import { keyIdOf, type PublicKey, rawPublicKey, sealVerifier } from '@sluice/server/crypto/public-keys.ts';

export interface TestKey {
  readonly signer: Signer;
  readonly publicKey: PublicKey;
}

export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = rawPublicKey(publicKey);
  const keyId = keyIdOf(raw);
  return {
    signer: { keyId, sign: (message) => sign(null, message, privateKey) },
    publicKey: { keyId, algorithm: 'Ed25519', publicKey: raw.toString('base64'), createdAt: '2026-01-01T00:00:00Z' },
  };
}

export const deflateAll: Deflater = budgetedDeflater(Number.MAX_SAFE_INTEGER);

export function testSession(id = 'ses_test', principal = 'https://idp#agent-7'): SessionInfo {
  return {
    id,
    principal: {
      kind: 'agent',
      id: principal,
      issuer: 'https://idp',
      subject: 'agent-7',
      displayName: 'Support agent',
      groups: ['react-agents'],
      owner: { kind: 'user', id: 'https://idp#dana' },
      chain: [],
      expiresAt: 1_800_000_000_000,
    },
    target: { name: 'shop', connector: 'postgres', tags: ['demo'] },
    client: { address: '127.0.0.1:50000', secure: true, application: 'psql' },
    startedAt: 1_790_000_000_000,
  };
}

export function testAction(unit: number, text: string, effect: 'allow' | 'deny' | 'hold' = 'allow'): RecordingEvent {
  return {
    type: 'action',
    unit,
    name: 'Query',
    text: [text],
    actions: [{ verb: 'sql:select', access: 'read', resources: ['shop/public/customers'] }],
    parameters: [],
    effect,
    policies: ['agent-reads'],
    reasons: [{ policy: 'agent-reads', text: 'Agents may read.' }],
    obligations: [],
    dryRun: [],
    policyHash: 'ab'.repeat(32),
    labels: ['pii.email'],
  };
}

export function testRow(...cells: (string | null)[]): Uint8Array {
  return encodeRow(cells.map((cell) => (cell === null ? null : new TextEncoder().encode(cell))));
}

export function memoryWriter(
  key: TestKey,
  options: { session?: SessionInfo; cap?: number; batch?: number; micros?: () => number } = {},
): { writer: RecordingWriter; bytes: () => Uint8Array; writes: Uint8Array[] } {
  const writes: Uint8Array[] = [];
  let clock = 0;
  const writer = new RecordingWriter(
    options.session ?? testSession(),
    'ab'.repeat(32),
    {
      sink: { write: (bytes) => void writes.push(bytes.slice()) },
      digests: plainDigests,
      startDigest: startSha256,
      deflater: deflateAll,
      signer: key.signer,
      micros: options.micros ?? (() => (clock += 1000)),
    },
    { cap: options.cap ?? 1024 * 1024, batch: options.batch ?? 64 * 1024 },
  );
  return { writer, writes, bytes: () => new Uint8Array(Buffer.concat(writes)) };
}

/** A sealed recording of a few statements. */
export function sampleRecording(key: TestKey, session = testSession(), statements = 3): Uint8Array {
  const { writer, bytes } = memoryWriter(key, { session });
  writer.flush();
  for (let unit = 1; unit <= statements; unit++) {
    writer.append(testAction(unit, `SELECT id, email FROM customers WHERE id = ${unit}`));
    writer.flush();
    writer.append({
      type: 'shape',
      unit,
      columns: [
        { name: 'id', type: 'int4', format: 'text' },
        { name: 'email', type: 'text', format: 'text', masked: ['pii.email'] },
      ],
    });
    writer.rows(testRow(String(unit), 'a***@example.com'));
    writer.append({ type: 'complete', unit, tag: 'SELECT 1', rows: 0, bytes: 0, digest: '' });
  }
  writer.finish('client_closed');
  return bytes();
}

export function verifierPorts(...keys: readonly TestKey[]): VerifierPorts {
  return {
    digests: plainDigests,
    startDigest: startSha256,
    inflater,
    seals: sealVerifier(keys.map((key) => key.publicKey)),
  };
}

/** Where each frame of an intact recording lies, the magic left out. */
export function framesOf(bytes: Uint8Array): { start: number; end: number; type: number }[] {
  const reader = new FrameReader();
  reader.push(bytes);
  reader.finish();
  const frames: { start: number; end: number; type: number }[] = [];
  for (let item = reader.next(); item; item = reader.next()) {
    if (item.kind !== 'frame') throw new Error('the recording is not intact');
    const { offset, hashed, type } = item.frame;
    frames.push({ start: offset, end: offset + hashed.length + 4, type });
  }
  return frames;
}

/** Makes the checksum of the frame right again after its bytes were changed. */
export function fixChecksum(bytes: Uint8Array, frame: { start: number; end: number }): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(frame.end - 4, crc32c(bytes, frame.start, frame.end - 4));
}
