import { createHash } from 'node:crypto';
import type { Clock } from '@sluice/core/contract/clock.ts';
import { type Identified, type Identity, identify } from '@sluice/core/contract/identity.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';

const mostKept = 16;

/**
 * Who sends on one connection. Tokens are checked with each request. An access credential is redeemed once per
 * connection and target, since every redemption takes one of its uses, and a request is no use of it; that it was not
 * revoked since is checked where sessions open, and what is open ends with it.
 */
export class ConnectionProofs {
  readonly #identity: Identity;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #redeemed = new Map<string, Promise<Identified>>();

  constructor(identity: Identity, clock: Pick<Clock, 'now'>) {
    this.#identity = identity;
    this.#clock = clock;
  }

  /** Rejects with the one refusal. `target` is empty where there is none, and then no access credential is good. */
  async identify(secret: Redacted, target: string): Promise<Identified> {
    const text = secret.reveal();
    const colon = text.indexOf(':');
    if (colon < 0 || !this.#identity.isCredentialId(text.slice(0, colon))) {
      return identify(this.#identity, target, secret);
    }
    const key = createHash('sha256')
      .update(JSON.stringify([target, text]))
      .digest('base64');
    const known = this.#redeemed.get(key);
    if (known) {
      const who = await known;
      if (who.principal.expiresAt > this.#clock.now()) return who;
      this.#redeemed.delete(key);
    }
    const proof = identify(this.#identity, target, secret);
    if (this.#redeemed.size < mostKept) this.#redeemed.set(key, proof);
    return proof.catch((error) => {
      this.#redeemed.delete(key);
      throw error;
    });
  }
}
