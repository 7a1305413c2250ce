import { Buffer } from 'node:buffer';
import type { StreamMasker } from '@sluice/core/contract/labels.ts';
import type { Session } from '@sluice/core/contract/session.ts';

/** Where the output of a unit goes, and how it is kept. */
export interface OutputPlace {
  readonly session: Session;
  readonly unit: number;
  /** Its name in the recording; absent for a terminal, whose bytes are kept as such. */
  readonly stream?: string;
  /** False: wait. */
  show(bytes: Uint8Array): boolean;
}

/** One stream from the target to the client: masked, then recorded as the client sees it, then shown. */
export class Output {
  readonly #place: OutputPlace;
  readonly #masker: StreamMasker;
  #known = 0;

  constructor(place: OutputPlace) {
    this.#place = place;
    this.#masker = place.session.texts.stream();
  }

  push(bytes: Uint8Array): boolean {
    return this.#pass(this.#masker.push(bytes));
  }

  /** A person may be waiting for what is held back. */
  idle(): boolean {
    return this.#pass(this.#masker.idle());
  }

  end(): boolean {
    return this.#pass(this.#masker.end());
  }

  #pass(bytes: Uint8Array): boolean {
    const { session, unit, stream } = this.#place;
    const { labels } = this.#masker;
    if (labels.length !== this.#known) {
      this.#known = labels.length;
      const hidden = new Set(session.hides(labels));
      session.sawLabels(labels.filter((label) => !hidden.has(label)));
    }
    if (bytes.length === 0) return true;
    const data = Buffer.from(bytes);
    session.record(
      stream === undefined
        ? { type: 'terminal', unit, direction: 'output', data }
        : { type: 'output', unit, stream, data },
    );
    session.flush();
    return this.#place.show(data);
  }
}
