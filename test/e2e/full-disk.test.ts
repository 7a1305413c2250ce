// A disk that runs full under the recordings: nothing is executed that is not recorded, and what was recorded verifies.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayHome, type GatewayHome } from '../harness/gateway-process.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { recordedEvents, sentTexts, sessionRecordings } from '../harness/recorded-events.ts';

const agent = { sub: 'agent', kind: 'agent' } as const;

/** A file system of its own in memory, or why there can be none. */
function smallDisk(at: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', at], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted here: ${error instanceof Error ? error.message.split('\n')[1] : error}`;
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'sluice-e2e-disk-'));
mkdirSync(join(dataDir, 'recordings'));
const reason = smallDisk(join(dataDir, 'recordings'));
if (reason) rmSync(dataDir, { recursive: true });

describe.skipIf(reason)(reason ? `a full disk (skipped: ${reason})` : 'a full disk', () => {
  let postgres: TestPostgres;
  let home: GatewayHome;

  beforeAll(async () => {
    postgres = await createTestPostgres({ log: true, init: 'CREATE TABLE t (id int)' });
    home = await createGatewayHome({ postgres, dataDir });
  });
  afterAll(async () => {
    await home?.remove();
    await postgres?.stop();
    execFileSync('umount', [join(dataDir, 'recordings')]);
    await rm(dataDir, { recursive: true, force: true });
  });

  test('ends the session before anything unrecorded is executed', { timeout: 120_000 }, async () => {
    const gateway = await home.start();
    const client = await home.connect(gateway, agent);
    let sent = 0;
    let failure: unknown;
    // What a hash makes of a number cannot be compressed away.
    const ballast = () => Array.from({ length: 40 }, () => crypto.randomUUID()).join();
    while (failure === undefined && sent < 20_000) {
      sent++;
      await client.query(`INSERT INTO t VALUES (${sent}) /* ${ballast()} */`).catch((error) => {
        failure = error;
      });
    }
    expect(failure).toMatchObject({ code: '58030', severity: 'FATAL' });

    const executed = (await postgres.statements()).map(({ text }) => text).filter((text) => text.startsWith('INSERT'));
    expect(executed.length).toBeGreaterThan(100);
    const recorded = new Set<string>();
    for (const path of await sessionRecordings(dataDir)) {
      for (const text of sentTexts(await recordedEvents(path))) recorded.add(text);
    }
    expect(executed.filter((text) => !recorded.has(text))).toEqual([]);

    // No room for another recording: no other session.
    await writeFile(join(dataDir, 'recordings', 'filler'), Buffer.alloc(2 * 1024 * 1024)).catch(() => {});
    await expect(home.connect(gateway, agent)).rejects.toMatchObject({ code: '58030' });
    await rm(join(dataDir, 'recordings', 'filler'));
    await gateway.stop();
    const verified = await runCommand(['audit', 'verify', dataDir, '--json'], { cwd: dataDir });
    expect(verified, verified.stdout).toMatchObject({ code: 0 });
  });
});
