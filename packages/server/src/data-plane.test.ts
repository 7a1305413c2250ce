// Connections that are refused before they have a session, where the refusal cannot be written down: the gateway stops,
// or its disk is full. Nothing follows from it: the client is told, its connection ends, and the next one is served.
import { linkPair } from '@sluice/connectors/wire/link-pair.ts';
import type { ConnectionRefusal } from '@sluice/core/contract/control-plane.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newKey } from './crypto/connector-keys.ts';
import { createDataPlane, type DataPlane, type DataPlaneParts } from './data-plane.ts';

let logged: { readonly fields: Record<string, unknown>; readonly text: string }[];
let asked: ConnectionRefusal[];
let writable: boolean;
let plane: DataPlane;
let nobodyWaitedFor: unknown[];
const noteRejection = (error: unknown): void => void nobodyWaitedFor.push(error);

beforeEach(() => {
  logged = [];
  asked = [];
  nobodyWaitedFor = [];
  writable = false;
  const unused = () => Promise.reject(new Error('not used here'));
  const control = {
    identity: { bearer: unused, scramVerifier: async () => undefined, proves: unused, isCredentialId: () => false },
    sessions: { onEnd: () => {} },
    pins: {},
    own: {},
    refused: (refusal: ConnectionRefusal) => {
      asked.push(refusal);
      if (!writable) throw new CoreError('recording_failed', 'gateway', 'The recording cannot be written.');
    },
  };
  const config = {
    targets: [],
    identity: { issuers: [] },
    masking: { labels: {}, strategies: {}, detect: [], detectText: [] },
    approvals: { park: 1_000 },
    limits: { preAuthTime: 5_000, preAuthBytes: 65_536, heldBytes: 65_536 },
  };
  const parts = {
    config,
    control,
    log: {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (fields: Record<string, unknown>, text: string) => logged.push({ fields, text }),
    },
    keyOf: newKey,
    alone: true,
  };
  plane = createDataPlane(parts as unknown as DataPlaneParts);
  process.on('unhandledRejection', noteRejection);
});
afterEach(async () => {
  process.off('unhandledRejection', noteRejection);
  await plane.close();
});

/** Sends the bytes over a connection of its own; resolves with what came back, once it has ended. */
async function refused(connector: string, bytes: Uint8Array): Promise<string> {
  const { near, far } = linkPair('192.0.2.7:4711');
  const back: Uint8Array[] = [];
  const ended = new Promise<void>((resolve) => near.onClose(() => resolve()));
  near.onData((chunk) => back.push(chunk));
  const served = plane.accept(connector, far);
  near.write(bytes);
  await Promise.all([ended, served]);
  return Buffer.concat(back).toString('latin1');
}

/** What no client of the protocol says, and what the connector answers. */
const nonsense: [string, Uint8Array, RegExp][] = [
  ['postgres', Buffer.from([0, 0, 0, 8, 0, 1, 0, 1]), /^E.*SFATAL/s],
  ['ssh', Buffer.from(`SSH-2.0-nobody\r\n${'\0'.repeat(64)}`), /^SSH-2\.0-/],
  ['http', Buffer.from('\0\0\0\0 / nothing\r\n\r\n'), /^HTTP\/1\.1 4\d\d /],
  ['mcp', Buffer.from('\0\0\0\0 / nothing\r\n\r\n'), /^HTTP\/1\.1 4\d\d /],
];

describe.each(nonsense)('a connection to %s that is refused', (connector, bytes, answer) => {
  test('ends as it always does where that cannot be written down, and that is said', async () => {
    expect(await refused(connector, bytes)).toMatch(answer);
    expect(asked).toEqual([expect.objectContaining({ channel: connector, address: '192.0.2.7:4711' })]);
    expect(logged).toEqual([
      {
        fields: { ...asked[0], err: expect.objectContaining({ code: 'recording_failed' }) },
        text: 'a refused connection is not in the journal',
      },
    ]);
    // The next one is refused alike, and once there is room again it is written down.
    expect(await refused(connector, bytes)).toMatch(answer);
    writable = true;
    expect(await refused(connector, bytes)).toMatch(answer);
    expect([asked.length, logged.length]).toEqual([3, 2]);
    expect(nobodyWaitedFor).toEqual([]);
  });
});
