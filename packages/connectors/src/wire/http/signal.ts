import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';

/** What is asked of an `AbortSignal` here; every one of them is one of these. */
export interface Signal extends AbortSignalLike {
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
}

/**
 * A signal together with what sets it off. Node's own are events of the DOM's kind, and each exchange needs several, all
 * of which are thrown away unheard.
 */
export class Alarm implements Signal {
  aborted = false;
  reason: unknown;
  #listeners: Set<() => void> | undefined;

  /** Once; what comes later changes nothing. */
  abort(reason: unknown = new Error('given up')): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }
}

/** For libraries that want one of Node's. */
export function abortSignal(signal: Signal): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener('abort', () => controller.abort(signal.reason));
  return controller.signal;
}
