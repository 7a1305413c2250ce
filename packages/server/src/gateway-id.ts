import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '@sluice/core/contract/crypto.ts';

/** Tells this gateway from others on the same store; made on the first start and kept in the data directory. */
export async function gatewayId(dataDir: string, ids: Ids): Promise<string> {
  const file = join(dataDir, 'gateway-id');
  try {
    await writeFile(file, `${ids.next('gw')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}
