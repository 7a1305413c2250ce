import type { Figure } from '../report/figure.ts';
import type { Settings } from '../settings.ts';

/** Somebody who is measured beside others. */
export interface Contender {
  readonly who: string;
  /** Once before the rounds; what comes out of it counts for nothing. */
  warmUp?(): Promise<unknown>;
  /** One turn; resolves with its sample. */
  turn(round: number): Promise<number>;
}

/** A B C, A B C, …: each has a turn in every round, so that what else the machine does meets all of them. */
export async function interleave(contenders: readonly Contender[], settings: Settings): Promise<Figure[]> {
  for (const contender of contenders) await contender.warmUp?.();
  const samples = new Map<string, number[]>(contenders.map(({ who }) => [who, []]));
  for (let round = 1; round <= settings.rounds; round++) {
    for (const { who, turn } of contenders) {
      settings.progress(`round ${round} of ${settings.rounds}: ${who}`);
      samples.get(who)?.push(await turn(round));
    }
  }
  return [...samples].map(([who, each]) => ({ who, samples: each }));
}
