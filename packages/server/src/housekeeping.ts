import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';

export const hour = 3_600_000;

/** Does it now and then until the returned function is called; a failure is logged and the next time is kept. */
export function every(ms: number, work: () => Promise<unknown>, clock: Pick<Clock, 'after'>, log: Log): () => void {
  let cancel = (): void => {};
  const again = (): void => {
    cancel = clock.after(ms, () => {
      work().catch((err) => log.warn({ err }, 'housekeeping failed'));
      again();
    });
  };
  again();
  return () => cancel();
}

/** Undoes every step, last first; a step that fails does not keep the others from being undone. */
export async function unwind(undo: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let step = undo.pop(); step; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not every part of the gateway stopped in good order');
}
