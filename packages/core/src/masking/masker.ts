// Masking: which labels the operator put on data, and what a labelled value looks like to somebody who may not see
// it. It works on single values in text form and never sees a frame, a row or a session; who may see what is policy's
// business, and putting the answer into the protocol's bytes is the connector's.

import type { Digests } from '../contract/crypto.ts';
import type { CellMasker, CellShape } from '../contract/labels.ts';
import { partialMask } from './partial.ts';
import { plainMasks } from './plain-masks.ts';
import { type FingerprintKind, fingerprintText, fingerprintUuid, mark, redacted } from './sentinel.ts';
import { type Strategy, type Treatment, treatmentOf } from './strategy.ts';

export interface CellMaskerOptions {
  /** By label; see `parseStrategies`. Labels not in it have their default. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly digests: Digests;
  /** What tokens are stable within: a run of one principal, or a session. Equal scopes give equal tokens. */
  readonly scope: string;
}

const utf8 = new TextEncoder();
const domains: Readonly<Record<FingerprintKind, Uint8Array>> = {
  hash: utf8.encode('sluice mask hash\0'),
  token: utf8.encode('sluice mask token\0'),
};

/** Masks cells of one session. Keeps nothing of the values it sees. */
export function createCellMasker(options: CellMaskerOptions): CellMasker {
  const { strategies, digests } = options;
  const scope = digests.sha256(utf8.encode(options.scope));
  // A session sees few sets of labels and many cells under each, mostly under the very same list.
  const treatments = new WeakMap<readonly string[], Treatment>();

  const treatment = (labels: readonly string[]): Treatment => {
    const known = treatments.get(labels);
    if (known) return known;
    const found = treatmentOf(labels, strategies);
    treatments.set(labels, found);
    return found;
  };

  const fingerprint = (kind: FingerprintKind, value: string): Uint8Array => {
    const parts = kind === 'token' ? [domains.token, scope] : [domains.hash];
    return digests.keyedHash(...parts, utf8.encode(value));
  };

  return {
    hide(labels, shape) {
      if (treatment(labels).strategy === 'null' || shape.kind === 'other' || shape.kind === 'uuid') return null;
      const text = hidden(roomFor(shape));
      return shape.kind === 'json' ? JSON.stringify(text) : text;
    },
    constant(labels, shape) {
      const { strategy } = treatment(labels);
      if (strategy === 'null' || shape.kind === 'other') return null;
      if (strategy !== 'redact') return undefined;
      if (shape.kind === 'uuid') return null;
      const text = hidden(roomFor(shape));
      return shape.kind === 'json' && text !== null ? JSON.stringify(text) : text;
    },
    plain(labels, shape) {
      const how = treatment(labels);
      if (how.strategy !== 'partial' || shape.kind !== 'text') return undefined;
      const mask = plainMasks[how.kind];
      return mask && mask.longest <= roomFor(shape) ? mask : undefined;
    },
    mask(labels, shape, value) {
      const how = treatment(labels);
      if (how.strategy === 'null' || shape.kind === 'other') return null;
      if (shape.kind === 'uuid') {
        if (how.strategy !== 'hash' && how.strategy !== 'token') return null;
        // Databases print a UUID in one form, but accept several; the same value must give the same mask.
        return fingerprintUuid(fingerprint(how.strategy, value.toLowerCase()));
      }
      const room = roomFor(shape);
      const text = visible(how, shape, value, room, fingerprint) ?? hidden(room);
      return shape.kind === 'json' && text !== null ? JSON.stringify(text) : text;
    },
  };
}

/** What a strategy shows of a value; undefined when it can't show anything here. */
function visible(
  how: Treatment,
  shape: CellShape,
  value: string,
  room: number,
  fingerprint: (kind: FingerprintKind, value: string) => Uint8Array,
): string | undefined {
  if (how.strategy === 'hash' || how.strategy === 'token') {
    return fingerprintText(how.strategy, fingerprint(how.strategy, value), room);
  }
  // A part of a JSON document is not a part of the value that bears the label.
  if (how.strategy !== 'partial' || shape.kind === 'json') return undefined;
  const text = partialMask(how.kind, value);
  return text !== undefined && text.length <= room ? text : undefined;
}

function hidden(room: number): string | null {
  return [redacted, mark].find((text) => text.length <= room) ?? null;
}

function roomFor(shape: CellShape): number {
  return shape.kind === 'text' ? (shape.maxLength ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}
