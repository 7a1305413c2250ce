import { Alarm, type Signal } from '../../wire/http/signal.ts';

/** A signal that aborts with whichever of two does so first, until it is let go of. */
export interface EitherSignal {
  readonly signal: Signal;
  /** Nothing is heard of the two any more, and neither holds on to this. */
  release(): void;
}

/**
 * `AbortSignal.any` for where one of the two lives far longer than what is signalled: that keeps something of each signal
 * with those it was made of for as long as they live.
 */
export function eitherSignal(one: Signal, other: Signal): EitherSignal {
  const alarm = new Alarm();
  const hear = (): void => alarm.abort((one.aborted ? one : other).reason);
  if (one.aborted || other.aborted) hear();
  one.addEventListener('abort', hear);
  other.addEventListener('abort', hear);
  return {
    signal: alarm,
    release: () => {
      one.removeEventListener('abort', hear);
      other.removeEventListener('abort', hear);
    },
  };
}
