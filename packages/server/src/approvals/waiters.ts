import type { AbortSignalLike } from '@sluice/core/contract/approvals.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';

type Wake = (request: AccessRequest | undefined) => void;

/** Who in this process waits for which access request. */
export class Waiters {
  readonly #waiting = new Map<string, Set<Wake>>();
  #closed = false;

  /** `woken` resolves with the settled request, or with undefined when the wait is over for another reason. */
  wait(id: string, signal: AbortSignalLike): { readonly woken: Promise<AccessRequest | undefined>; stop(): void } {
    let stop = (): void => {};
    const woken = new Promise<AccessRequest | undefined>((resolve) => {
      const wake: Wake = (request) => {
        signal.removeEventListener('abort', stop);
        this.#remove(id, wake);
        resolve(request);
      };
      stop = () => wake(undefined);
      if (signal.aborted || this.#closed) return stop();
      this.#add(id, wake);
      signal.addEventListener('abort', stop);
    });
    return { woken, stop: () => stop() };
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  ids(): string[] {
    return [...this.#waiting.keys()];
  }

  /** Wakes whoever waits for it, if it is settled. */
  tell(request: AccessRequest): void {
    if (request.state === 'pending') return;
    for (const wake of [...(this.#waiting.get(request.id) ?? [])]) wake(request);
  }

  close(): void {
    this.#closed = true;
    for (const wakes of [...this.#waiting.values()]) for (const wake of [...wakes]) wake(undefined);
  }

  #add(id: string, wake: Wake): void {
    const present = this.#waiting.get(id);
    if (present) present.add(wake);
    else this.#waiting.set(id, new Set([wake]));
  }

  #remove(id: string, wake: Wake): void {
    const present = this.#waiting.get(id);
    if (present?.delete(wake) && present.size === 0) this.#waiting.delete(id);
  }
}
