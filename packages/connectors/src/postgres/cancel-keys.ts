import { randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Cancel keys as clients know them. They are the gateway's own, so that a client never learns a key of the server's,
 * and a key says nothing about other sessions.
 */
export class CancelKeys {
  readonly #byPid = new Map<number, { readonly secret: Buffer; readonly cancel: () => void }>();

  /** Protocol 3.0 has secrets of four bytes; 3.2 allows longer ones. */
  issue(minor: number, cancel: () => void): { readonly pid: number; readonly secret: Buffer; release(): void } {
    let pid: number;
    do pid = randomBytes(4).readInt32BE() & 0x7fffffff;
    while (pid === 0 || this.#byPid.has(pid));
    const secret = randomBytes(minor >= 2 ? 32 : 4);
    this.#byPid.set(pid, { secret, cancel });
    return { pid, secret, release: () => this.#byPid.delete(pid) };
  }

  /** False, and nothing done, for a foreign or guessed key. */
  cancel(pid: number, secret: Buffer): boolean {
    const known = this.#byPid.get(pid);
    if (!known || known.secret.length !== secret.length || !timingSafeEqual(known.secret, secret)) return false;
    known.cancel();
    return true;
  }
}
