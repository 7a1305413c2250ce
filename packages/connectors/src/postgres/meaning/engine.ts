import type { Relation } from '../catalog/catalog.ts';
import { type Admitted, admit } from './admit.ts';
import { as, kindOf, type Node } from './ast.ts';
import { anyObjectRules } from './ddl-any.ts';
import { codeRules } from './ddl-code.ts';
import { tableRules } from './ddl-table.ts';
import { deleteOutput, insertOutput, mergeOutput, updateOutput } from './dml.ts';
import { type Behind, type Env, noOutput, type Output, type Rules, type StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { expressionValue } from './expression.ts';
import { filterRows } from './filter.ts';
import { callFunction } from './functions.ts';
import { fingerprint, parse } from './grammar.ts';
import { statementNames } from './kinds.ts';
import { Names } from './names.ts';
import { expressionLabels } from './output-labels.ts';
import type { StatementRules } from './rules.ts';
import { selectOutput } from './select.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';
import { carrierRules } from './statement-carrier.ts';
import { copyRules } from './statement-copy.ts';
import { grantRules } from './statement-grant.ts';
import { preparedRules } from './statement-prepared.ts';
import { queryRules } from './statement-query.ts';
import { sessionRules } from './statement-session.ts';
import { Tally } from './tally.ts';
import { readRelation, touchBehind } from './views.ts';

/**
 * Puts the rules for all kinds of nodes together and runs them over one statement. The rules understand; this makes sure
 * that nothing was left out: a statement with a name, call or query that no rule has looked at is refused.
 */
export const statementRules: StatementRules = {
  ...queryRules,
  ...sessionRules,
  ...preparedRules,
  ...carrierRules,
  ...copyRules,
  ...grantRules,
  ...tableRules,
  ...codeRules,
  ...anyObjectRules,
};

/** Far above any real statement; what needs more is built to take time. */
const maxSteps = 500_000;

function spend(env: Env): void {
  env.budget.steps -= 1;
  if (env.budget.steps < 0) throw new MeaningError('too_complex', 'the statement takes too many steps to understand');
}

const rules: Rules = {
  value(node, env) {
    spend(env);
    return expressionValue(node, env);
  },
  filter: filterRows,
  call: callFunction,
  query(node, env) {
    spend(env);
    return dataOutput(node, env);
  },
  select(body, env) {
    spend(env);
    return selectOutput(body, env);
  },
  nested(node, env) {
    spend(env);
    env.tally.nested = true;
    return run(node, env);
  },
  alone(node, text, env) {
    const admitted = admit(node);
    return understand(node, text, env.ctx, admitted, env.budget);
  },
  read: (relation, env) => readRelation(relation, env, behindView),
  behind: (relation, env) => touchBehind(relation, env, behindView),
};

function dataOutput(node: Node, env: Env): Output {
  const select = as(node, 'SelectStmt');
  if (select !== undefined) return selectOutput(select, env);
  const insert = as(node, 'InsertStmt');
  if (insert !== undefined) return insertOutput(insert, env) ?? noOutput;
  const update = as(node, 'UpdateStmt');
  if (update !== undefined) return updateOutput(update, env) ?? noOutput;
  const remove = as(node, 'DeleteStmt');
  if (remove !== undefined) return deleteOutput(remove, env) ?? noOutput;
  const merge = as(node, 'MergeStmt');
  if (merge !== undefined) return mergeOutput(merge, env) ?? noOutput;
  throw new MeaningError('unsupported', `the gateway does not understand ${kindOf(node)} as a query and refuses it`);
}

function run(node: Node, env: Env): StatementResult {
  const kind = kindOf(node);
  const rule = statementRules[kind] as ((body: unknown, env: Env) => StatementResult) | undefined;
  if (rule === undefined) {
    throw new MeaningError('unsupported', `the gateway does not understand ${kind} and refuses it`);
  }
  return rule((node as Readonly<Record<string, unknown>>)[kind], env);
}

function environment(ctx: MeaningContext, text: string, unseen: Set<object>, budget: { steps: number }): Env {
  return {
    ctx,
    names: new Names(ctx),
    tally: new Tally(ctx.target),
    rules,
    scope: undefined,
    ctes: undefined,
    unseen,
    text,
    budget,
  };
}

export function newBudget(): { steps: number } {
  return { steps: maxSteps };
}

export function understand(
  node: Node,
  text: string,
  ctx: MeaningContext,
  admitted: Admitted,
  budget: { steps: number } = newBudget(),
): StatementMeaning {
  if (admitted.since > ctx.catalog.serverVersion) {
    throw new MeaningError('unsupported', 'a part of the statement means something else to a server of this version', {
      hint: 'If a function of that name is meant, write its schema before it.',
    });
  }
  const env = environment(ctx, text, admitted.unseen, budget);
  const result = run(node, env);
  if (env.unseen.size > 0) {
    throw new MeaningError('unsupported', 'a part of the statement is in a place that the gateway does not understand');
  }
  const { tally } = env;
  if (tally.isEmpty) tally.act('sql:compute');
  const shown = result.text ?? text;
  const kind = result.kind ?? (statementNames as Readonly<Record<string, string>>)[kindOf(node)] ?? kindOf(node);
  const relations = tally.relations;
  const output = result.output;
  return {
    kind,
    text: shown,
    actions: tally.actions(kind, shown),
    labels: tally.labels,
    expressionLabels: result.expressionLabels ?? (output === undefined ? [] : expressionLabels(output)),
    exposures: tally.exposures,
    scrubErrors: tally.scrub,
    returnsRows: output !== undefined,
    effects: tally.effects,
    ...(result.copy === undefined ? {} : { copy: result.copy }),
    fingerprint: () => fingerprint(text),
    relations,
    schemaDigest: ctx.catalog.schemaDigest(relations),
  };
}

/** Looks at a query by itself, for what it reaches and gives; no actions come of it. */
export function lookAt(text: string, ctx: MeaningContext): { readonly output: Output; readonly tally: Tally } {
  const [only] = parse(text);
  if (only === undefined) throw new MeaningError('unsupported', 'an empty definition');
  const admitted = admit(only.node);
  const env = environment(ctx, text, admitted.unseen, newBudget());
  const output = dataOutput(only.node, env);
  if (env.unseen.size > 0) throw new MeaningError('unsupported', 'a definition that is not understood');
  return { output, tally: env.tally };
}

/** Definitions come with every name schema-qualified, so nothing of the session takes part. */
export function definitionContext(ctx: Pick<MeaningContext, 'target' | 'catalog' | 'labels'>): MeaningContext {
  return {
    target: ctx.target,
    catalog: ctx.catalog,
    labels: ctx.labels,
    searchPath: ['pg_catalog'],
    role: '',
    sessionUser: '',
    database: '',
    overlay: { changes: [] },
    prepared: () => undefined,
    cursor: () => undefined,
  };
}

function behindView(view: Relation, env: Env): Behind {
  if (view.definition === undefined) return { relations: [], named: [], functions: [] };
  try {
    const { tally } = lookAt(view.definition, definitionContext(env.ctx));
    return {
      relations: tally.relations.flatMap((oid) => env.ctx.catalog.relationByOid(oid) ?? []),
      named: [...tally.readRelations],
      functions: tally.functionNames,
    };
  } catch (error) {
    if (!(error instanceof MeaningError)) throw error;
    throw new MeaningError('unsupported', `the definition of the view "${view.name}" is not understood`, {
      cause: error,
    });
  }
}
