import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { NodeKind } from './ast.ts';
import { statementRules } from './engine.ts';
import { type StatementKind, statementKinds } from './kinds.ts';

/** Made by the analyser or the planner or inside PL/pgSQL; the grammar puts none of them into a query string. */
const notFromTheGrammar = ['RawStmt', 'SetOperationStmt', 'PLAssignStmt', 'ReturnStmt', 'ReplicaIdentityStmt'] as const;

type Statement = Extract<NodeKind, `${string}Stmt`>;
type Forgotten = Exclude<Statement, StatementKind | (typeof notFromTheGrammar)[number]>;

describe('every statement of the grammar', () => {
  test('has a name and a rule, or the compiler says so here', () => {
    const forgotten: [Forgotten] extends [never] ? 'none' : Forgotten = 'none';
    expect(forgotten).toBe('none');
  });

  test('as the types of the parser list them has a rule that understands or refuses it', () => {
    const types = createRequire(import.meta.url)
      .resolve('@pgsql/types')
      .replace(/index\.js$/, 'types.d.ts');
    const listed = new Set(
      [...readFileSync(types, 'utf8').matchAll(/^ {4}(\w+Stmt): \1;$/gm)].map((found) => found[1]),
    );
    expect(listed.size).toBeGreaterThan(100);
    const known = new Set<string>([...Object.keys(statementRules), ...notFromTheGrammar]);
    expect([...listed].filter((kind) => kind === undefined || !known.has(kind))).toEqual([]);
    expect(statementKinds.filter((kind) => statementRules[kind] === undefined)).toEqual([]);
  });
});
