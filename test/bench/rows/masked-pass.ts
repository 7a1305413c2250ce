import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareRows, type Masked, type RowForm } from '../check/masked.ts';
import { psql } from '../load/psql.ts';
import { direct, type PostgresWorld, sluice } from './postgres-peers.ts';

/** Where `email` and `phone` stand in everything that is measured with masked columns. */
const hidden = [2, 3];

/**
 * Reads the statement's whole result once straight from the database and once through the gateway, and compares every
 * row of it. What comes back is the digest of the rows as they must be recorded from then on.
 */
export async function readThrough(world: PostgresWorld, statement: string, form: RowForm): Promise<Masked> {
  const application = world.application('verification');
  const files: string[] = [];
  for (const who of [direct, sluice]) {
    const peer = world.peers.find((each) => each.who === who);
    if (!peer) throw new Error(`there is no ${who}`);
    const file = join(world.scratch, `${who}.txt`);
    await psql(peer.way, { statement, output: file, application });
    files.push(file);
  }
  const [clear = '', masked = ''] = files;
  const found = await compareRows(clear, masked, hidden, form);
  const tag = `${form === 'lines' ? 'COPY' : 'SELECT'} ${found.rows}`;
  // The recording must have the very rows that the client had.
  world.ledger.sent({ by: application, units: 1, results: { tag, digest: found.digest } });
  for (const file of files) await rm(file);
  return found;
}
