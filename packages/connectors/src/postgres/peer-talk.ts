import type { Peers } from '@sluice/core/contract/peers.ts';

interface Heard {
  /** A client asks for its statement to be stopped, at whichever process its key is known. */
  cancel(pid: number, secret: Buffer): void;
  /** Somebody had reason to read the target's catalog anew. */
  catalogChanged(target: string): void;
}

type Told =
  | { readonly kind: 'cancel'; readonly pid: number; readonly secret: string }
  | { readonly kind: 'catalog'; readonly target: string };

/** What the instances of this connector in the processes of one gateway tell each other; nothing where there is one. */
export class PeerTalk {
  readonly #peers: Peers | undefined;

  constructor(peers: Peers | undefined, heard: Heard) {
    this.#peers = peers;
    peers?.onTold((text) => {
      const told: Told = JSON.parse(text);
      if (told.kind === 'cancel') heard.cancel(told.pid, Buffer.from(told.secret, 'hex'));
      else heard.catalogChanged(told.target);
    });
  }

  cancel(pid: number, secret: Buffer): void {
    void this.#tell({ kind: 'cancel', pid, secret: secret.toString('hex') });
  }

  /** Resolves when no other process judges by the names of before. Undefined where there is no other. */
  catalogChanged(target: string): Promise<void> | undefined {
    return this.#tell({ kind: 'catalog', target });
  }

  #tell(told: Told): Promise<void> | undefined {
    return this.#peers?.tell(JSON.stringify(told));
  }
}
