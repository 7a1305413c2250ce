import { basename } from 'node:path';
import { verifyPath } from '@sluice/cli/recording/verify-path.ts';
import { journalPrefix } from '@sluice/server/recording/layout.ts';
import type { AnyGateway } from './any-gateway.ts';

/**
 * Waits for the end of every session, and then does what `sluice audit verify` does over the gateway's data directory.
 * Gives the number of sealed recordings; throws what is wrong with them.
 */
export async function sealedRecordings(gateway: Pick<AnyGateway, 'apiAs' | 'dir'>): Promise<number> {
  const operator = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
  for (;;) {
    while ((await operator.sessions({ live: true, limit: 1 })).items.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const report = await verifyPath(gateway.dir);
    if (!report.ok) {
      throw new Error(JSON.stringify([report.files.filter(({ faults }) => faults.length), report.journal]));
    }
    // The list of sessions is told of one a moment after it opened, so the recordings are asked as well.
    const open = report.files.filter(({ path, standing }) => standing === 'open' && !isJournal(path));
    if (open.length === 0) return report.counts.sealed;
  }
}

function isJournal(path: string): boolean {
  return basename(path).startsWith(journalPrefix);
}
