import type { Body, NodeKind } from './ast.ts';
import type { Env, StatementResult } from './env.ts';

/** How each kind of statement is understood; put together in `statements.ts`. */
export type StatementRules = {
  readonly [K in NodeKind]?: (body: Body<K>, env: Env) => StatementResult;
};

export const done: StatementResult = {};
