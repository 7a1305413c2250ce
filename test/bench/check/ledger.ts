/**
 * Whether the gateway did what it is measured with: every statement that was sent is in a sealed recording, and every
 * labelled value was masked in every answer. What was sent is told by those who sent it; what was recorded is read with
 * the project's own reader. A figure that was had by doing less is worth nothing.
 */
import { createHash, type Hash } from 'node:crypto';
import type { AnyEvent, HeaderEvent } from '@sluice/core/recording/entry.ts';

/** What one client program sent, under a name that no other has. */
export interface Sent {
  /** What the recordings' headers have as the client's application; else the name of their target. */
  readonly by: string;
  /** Units that must be recorded as sent on; `some` where only the client program knows how many it takes. */
  readonly units: number | 'some';
  /** Of these, such with a result that must be the same each time: the digest of the rows as they must be masked. */
  readonly results?: { readonly tag: string; readonly digest: string };
  /** What must have come out of, or gone into, so many units: the SHA-256 of it. */
  readonly contents?: { readonly times: number; readonly digest: string };
}

interface Tally {
  units: number;
  denied: number;
  lost: number;
  /** How often there was a result of this kind: tag and digest. */
  readonly results: Map<string, number>;
  /** The same by digest alone. */
  readonly contents: Map<string, number>;
}

/** Asked by pgbench before it begins, once or not at all. */
const preamble = /^select (?:count\(\*\) from pgbench_branches|o\.n, p\.partstrat)/;

export class Ledger {
  readonly #sent: Sent[] = [];
  readonly #tallies = new Map<string, Tally>();
  /** What clients sent for units that are not complete yet. */
  readonly #inputs = new Map<string, Hash>();
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
        count(tally.results, key);
        count(tally.contents, event.digest);
        this.#inputComplete(header, event.unit, tally);
        break;
      }
      case 'input': {
        const key = `${header.session} ${event.unit}`;
        const input = this.#inputs.get(key) ?? createHash('sha256');
        this.#inputs.set(key, input.update(event.data));
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
    for (const sent of this.#sent.splice(0)) {
      const tally = this.#tallies.get(sent.by);
      this.#tallies.delete(sent.by);
      this.#total += tally?.units ?? 0;
      if (tally) faults.push(...compare(sent, tally));
      else faults.push(`${sent.by}: nothing is recorded`);
    }
    for (const by of this.#tallies.keys()) faults.push(`${by}: is recorded, and nobody says that it was sent`);
    this.#tallies.clear();
    this.#inputs.clear();
    return faults;
  }

  /** What was sent for the unit is whole. */
  #inputComplete({ session }: HeaderEvent, unit: number, { contents }: Tally): void {
    const key = `${session} ${unit}`;
    const input = this.#inputs.get(key);
    this.#inputs.delete(key);
    if (input) count(contents, input.digest('hex'));
  }

  #tallyOf(by: string): Tally {
    const known = this.#tallies.get(by);
    if (known) return known;
    const tally: Tally = { units: 0, denied: 0, lost: 0, results: new Map(), contents: new Map() };
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

function compare({ by, units, results, contents }: Sent, tally: Tally): string[] {
  const faults: string[] = [];
  if (units === 'some' ? tally.units === 0 : tally.units !== units) {
    faults.push(`${by}: ${units} were sent, ${tally.units} are recorded`);
  }
  if (tally.denied > 0) faults.push(`${by}: ${tally.denied} were not allowed`);
  if (tally.lost > 0) faults.push(`${by}: ${tally.lost} events were lost`);
  if (contents) {
    const found = tally.contents.get(contents.digest) ?? 0;
    if (found !== contents.times)
      faults.push(`${by}: the content went by ${contents.times} times, ${found} are recorded`);
  }
  if (!results) return faults;
  const must = `${results.tag} ${results.digest}`;
  const same = tally.results.get(must) ?? 0;
  if (same !== units) faults.push(`${by}: ${units} results should be masked as they must be, ${same} are`);
  for (const [key, times] of tally.results) {
    if (key.startsWith(`${results.tag} `) && key !== must) {
      faults.push(`${by}: ${times} results have other rows than they must have when masked`);
    }
  }
  return faults;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
