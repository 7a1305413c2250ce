import type { PolicyTextSource, PolicyTexts } from '@sluice/core/contract/control-plane.ts';

/** The accepted policies as the gateway told them to this worker, the last ones. */
export class ToldTexts implements PolicyTextSource {
  readonly #changed = new Set<(texts: PolicyTexts) => void>();
  #texts: PolicyTexts;

  constructor(texts: PolicyTexts) {
    this.#texts = texts;
  }

  current(): PolicyTexts {
    return this.#texts;
  }

  onChange(callback: (texts: PolicyTexts) => void): () => void {
    this.#changed.add(callback);
    return () => this.#changed.delete(callback);
  }

  /** What is older than what is known is passed over. */
  tell(texts: PolicyTexts): void {
    if (texts.epoch <= this.#texts.epoch) return;
    this.#texts = texts;
    for (const callback of [...this.#changed]) callback(texts);
  }
}
