/** A signal that aborts with whichever of two does so first, until it is let go of. */
export interface EitherSignal {
  readonly signal: AbortSignal;
  /** Nothing is heard of the two any more, and neither holds on to this. */
  release(): void;
}

/**
 * `AbortSignal.any` for where one of the two lives far longer than what is signalled: that keeps something of each signal
 * with those it was made of for as long as they live.
 */
export function eitherSignal(one: AbortSignal, other: AbortSignal): EitherSignal {
  const controller = new AbortController();
  const hear = (): void => controller.abort((one.aborted ? one : other).reason);
  if (one.aborted || other.aborted) hear();
  one.addEventListener('abort', hear);
  other.addEventListener('abort', hear);
  return {
    signal: controller.signal,
    release: () => {
      one.removeEventListener('abort', hear);
      other.removeEventListener('abort', hear);
    },
  };
}
