import type { RawRequest, Understood } from './understand.ts';

/** So many different requests are kept, of this many characters each. */
const most = 16;
const longest = 4_096;

const proofs = new Set(['authorization', 'sluice-authorization', 'proxy-authorization']);

/**
 * What was understood of the last requests without a body. One that comes again, header and all, means the same, and is
 * given as the very same unit: its actions are frozen, so that policy and the recording know them again as well.
 */
export class UnderstoodBefore {
  readonly #kept = new Map<string, Understood>();

  /** Under which name the request is kept; undefined where nothing is kept of it. `hidden` as it was understood with. */
  nameOf({ method, path, headers, hasBody, upgrade }: RawRequest, hidden: boolean, own: boolean): string | undefined {
    if (hasBody || upgrade) return undefined;
    let name = hidden ? `${method} ${path}` : `${method}  ${path}`;
    for (const [field, value] of headers) {
      // What clients prove themselves with at the API is not kept.
      if (field === 'cookie' || (own && field === 'authorization')) return undefined;
      // What they prove themselves with here means nothing to a request.
      name += proofs.has(field) ? `\n${field}` : `\n${field}:${value}`;
    }
    return name.length > longest ? undefined : name;
  }

  find(name: string): Understood | undefined {
    return this.#kept.get(name);
  }

  keep(name: string, understood: Understood): Understood {
    const { unit } = understood;
    const actions = Object.freeze(unit.actions.map((action) => Object.freeze(action)));
    const kept = { ...understood, unit: { ...unit, actions } };
    if (this.#kept.size >= most) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(name, kept);
    return kept;
  }
}
