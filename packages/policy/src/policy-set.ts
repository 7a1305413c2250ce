import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyTerms } from './annotations.ts';
import type { PolicySchema } from './schema.ts';
import type { Parts, Piece } from './source/pieces.ts';
import type { Position } from './source/position.ts';

/** One policy that may decide. */
export interface LoadedPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly terms: PolicyTerms;
  readonly path: string;
  readonly at: Position;
  /** As written, for people. */
  readonly parts: Parts;
  /**
   * What the engine is given. It stays text: as JSON a whole number beyond 2^53 would come back as another one.
   */
  readonly cedar: string;
  /** For looking into its structure only. */
  readonly json: PolicyJson;
}

/** A policy before it was checked. */
export interface ParsedPolicy extends LoadedPolicy {
  readonly piece: Piece;
}

/** All policies in force together, validated. Immutable. */
export interface PolicySet {
  /** Lower-case hex SHA-256 over what the policies say: layout, comments, order and file names leave it unchanged. */
  readonly hash: string;
  /** In the order of the files and of the text in them. */
  readonly policies: readonly LoadedPolicy[];
  readonly schema: PolicySchema;
  /** What is allowed but worth a second look; for people. */
  readonly notices: readonly string[];
}
