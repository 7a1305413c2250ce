/** Recordings on disk for tests, put together as the gateway does. */
import type { Log } from '@sluice/core/contract/connector.ts';
import { inflater, noDeflater } from '@sluice/server/crypto/deflate.ts';
import { platformDigests, startSha256 } from '@sluice/server/crypto/digests.ts';
import { type Keys, maskingKeyBytes, openKeys } from '@sluice/server/crypto/keys.ts';
import {
  openRecordings,
  type RecordingPorts,
  type RecordingSettings,
  type Recordings,
} from '@sluice/server/recording/recordings.ts';

export { testAction, testRow, testSession } from './recording.ts';

export interface TestRecordings {
  readonly recordings: Recordings;
  readonly keys: Keys;
  /** What was logged: level and message. */
  readonly logged: string[];
}

export async function openTestRecordings(
  dataDir: string,
  settings: Partial<RecordingSettings> = {},
  ports: Partial<RecordingPorts> = {},
): Promise<TestRecordings> {
  const keys = openKeys(dataDir);
  const logged: string[] = [];
  const to = (level: string) => (_fields: object, message: string) => void logged.push(`${level}: ${message}`);
  const log: Log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
  const recordings = await openRecordings(
    { dataDir, durability: 'group', syncInterval: 20, capPerResult: 1024 * 1024, ...settings },
    {
      digests: platformDigests(maskingKeyBytes(keys.maskingKey)),
      startDigest: startSha256,
      signer: keys.signer,
      deflater: noDeflater,
      inflater,
      log,
      now: Date.now,
      ...ports,
    },
  );
  return { recordings, keys, logged };
}
