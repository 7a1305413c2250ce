import { interleave } from '../load/interleave.ts';
import { type Load, type Measured, pgbench } from '../load/pgbench.ts';
import type { Figure } from '../report/figure.ts';
import type { Settings } from '../settings.ts';
import { type Peer, type PostgresWorld, sluice } from './postgres-peers.ts';

export interface Transactions {
  /** The row's id. */
  readonly row: string;
  readonly args: readonly string[];
  readonly clients: number;
  /** Statements in each transaction. */
  readonly statements: number;
  /** How many transactions each client has in a turn; absent: as many as the settings leave time for. */
  readonly transactions?: number;
  /** How many are run before anything counts, over all clients; absent: enough for short ones. */
  readonly warmUp?: number;
  /** What every one of its results must be. */
  readonly results?: { readonly tag: string; readonly digest: string };
  /** With TLS. */
  readonly tls?: true;
  /** The number that is compared. */
  sample(measured: Measured): number;
}

/** The same transactions by pgbench to all peers, each in its turn. */
export function compareTransactions(
  world: PostgresWorld,
  what: Transactions,
  settings: Settings,
  peers: readonly Peer[] = world.peers,
): Promise<Figure[]> {
  const contenders = peers.map((peer) => ({
    who: peer.who,
    warmUp: async () => {
      // What takes long enough to be counted warms up in its first moments.
      if (what.transactions === undefined) await turn(world, what, peer, warmUp(what, settings));
    },
    turn: async () => what.sample(await turn(world, what, peer, length(what, settings))),
  }));
  return interleave(contenders, settings);
}

/** A second try has twice the time, and so on; who comes to nothing then gets no figure. */
const tries = 4;

/**
 * One turn of pgbench; what goes through the gateway is put down in the ledger. On a machine that has much else to do,
 * connecting may take all the time there is: then it is tried again, with more.
 */
export async function turn(
  world: PostgresWorld,
  what: Omit<Transactions, 'sample'>,
  peer: Peer,
  length: Load['length'],
): Promise<Measured> {
  for (let time = 0; time < tries; time++) {
    const longer = 'seconds' in length ? { seconds: length.seconds * 2 ** time } : length;
    const measured = await oneTry(world, what, peer, longer);
    if (measured.transactions > 0) return measured;
  }
  throw new Error(`pgbench came to no transaction with ${peer.who}, however much time it had`);
}

async function oneTry(
  world: PostgresWorld,
  what: Omit<Transactions, 'sample'>,
  peer: Peer,
  length: Load['length'],
): Promise<Measured> {
  const application = world.application(what.row);
  const way = what.tls ? { ...peer.way, ca: peer.ca } : peer.way;
  const measured = await pgbench(world.database.pgbench, way, {
    args: what.args,
    clients: what.clients,
    length,
    application,
  });
  if (peer.who === sluice) {
    world.ledger.sent({
      by: application,
      units: measured.transactions * what.statements,
      ...(what.results ? { results: what.results } : {}),
    });
  }
  return measured;
}

function length({ transactions, clients }: Transactions, { seconds }: Settings): Load['length'] {
  // pgbench's clock runs while it connects; its rates leave that time out.
  return transactions === undefined ? { seconds: seconds + (clients > 8 ? 1 : 0) } : { transactions };
}

/**
 * Code that runs for the first time is slow; what is measured is what runs all day. Counted, not timed: a program that
 * is not compiled yet may do nothing in a second.
 */
function warmUp({ warmUp, clients }: Transactions, { quick }: Settings): Load['length'] {
  return { transactions: Math.ceil((warmUp ?? (quick ? 200 : 4_000)) / clients) };
}
