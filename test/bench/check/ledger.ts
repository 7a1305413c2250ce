/**
 * Whether the gateway did what it is measured with: every statement that was sent is in a sealed recording, and every
 * labelled value was masked in every answer. What was sent is told by those who sent it; what was recorded is read with
 * the project's own reader. A figure that was had by doing less is worth nothing.
 */
import type { AnyEvent, HeaderEvent } from '@sluice/core/recording/entry.ts';

/** What one client program sent, under a name that no other has. */
export interface Sent {
  /** What the recordings' headers have as the client's application; else the name of their target. */
  readonly by: string;
  /** Units that must be recorded as sent on. */
  readonly units: number;
  /** Of these, such with a result that must be the same each time: the digest of the rows as they must be masked. */
  readonly results?: { readonly tag: string; readonly digest: string };
}

interface Tally {
  units: number;
  denied: number;
  lost: number;
  /** How often there was a result of this kind: tag and digest. */
  readonly results: Map<string, number>;
}

/** Asked by pgbench before it begins, once or not at all. */
const preamble = /^select (?:count\(\*\) from pgbench_branches|o\.n, p\.partstrat)/;

export class Ledger {
  readonly #sent: Sent[] = [];
  readonly #tallies = new Map<string, Tally>();
  #total = 0;

  /** Units that were found recorded, in all. */
  get total(): number {
    return this.#total;
  }

  sent(what: Sent): void {
    this.#sent.push(what);
  }

  /** Takes in one event of a recording. */
  recorded(header: HeaderEvent, event: AnyEvent): void {
    const tally = this.#tallyOf(header.client.application ?? header.target.name);
    switch (event.type) {
      case 'action':
        if (event.effect !== 'allow') tally.denied++;
        else if (isSent(event)) tally.units++;
        break;
      case 'complete': {
        const key = `${event.tag} ${event.digest}`;
        tally.results.set(key, (tally.results.get(key) ?? 0) + 1);
        break;
      }
      case 'end':
        tally.lost += event.lost;
        break;
      default:
        break;
    }
  }

  /** Every disagreement since the last call; nothing of what was compared is kept. */
  settle(): string[] {
    const faults: string[] = [];
    for (const { by, units, results } of this.#sent.splice(0)) {
      const tally = this.#tallies.get(by);
      this.#tallies.delete(by);
      this.#total += tally?.units ?? 0;
      if (tally?.units !== units) faults.push(`${by}: ${units} were sent, ${tally?.units ?? 0} are recorded`);
      if (!tally) continue;
      if (tally.denied > 0) faults.push(`${by}: ${tally.denied} were not allowed`);
      if (tally.lost > 0) faults.push(`${by}: ${tally.lost} events were lost`);
      if (results) faults.push(...compare(by, results, units, tally.results));
    }
    for (const by of this.#tallies.keys()) faults.push(`${by}: is recorded, and nobody says that it was sent`);
    this.#tallies.clear();
    return faults;
  }

  #tallyOf(by: string): Tally {
    const known = this.#tallies.get(by);
    if (known) return known;
    const tally: Tally = { units: 0, denied: 0, lost: 0, results: new Map() };
    this.#tallies.set(by, tally);
    return tally;
  }
}

/** Whether this is one thing that a client counts as sent; the other messages of the extended protocol only lead there. */
function isSent(event: AnyEvent & { readonly type: 'action' }): boolean {
  // The judgement on the session itself.
  if (event.actions.every(({ verb }) => verb === 'connect')) return false;
  if (event.name === 'Query') return !preamble.test(event.text[0] ?? '');
  return event.name !== 'Parse' && event.name !== 'Bind' && event.name !== 'Describe';
}

function compare(
  by: string,
  { tag, digest }: { readonly tag: string; readonly digest: string },
  units: number,
  results: ReadonlyMap<string, number>,
): string[] {
  const faults: string[] = [];
  const same = results.get(`${tag} ${digest}`) ?? 0;
  if (same !== units) faults.push(`${by}: ${units} results should be masked as they must be, ${same} are`);
  for (const [key, count] of results) {
    if (key.startsWith(`${tag} `) && key !== `${tag} ${digest}`) {
      faults.push(`${by}: ${count} results have other rows than they must have when masked`);
    }
  }
  return faults;
}
