import { joinLabels, noLabels } from '../../sql/label-set.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body } from './ast.ts';
import { as, optionText, strings } from './ast.ts';
import { type Env, type StatementResult, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { relationSource } from './from.ts';
import type { StatementRules } from './rules.ts';
import { scopeOf } from './scope.ts';
import type { CopyColumn, CopyMeaning } from './statement.ts';
import { columnOf, writes } from './target-table.ts';

/** COPY: what is copied, where to, and how the stream has to be read. */
export const copyRules: StatementRules = { CopyStmt: copy };

function copy(body: Body<'CopyStmt'>, env: Env): StatementResult {
  const direction = body.is_from === true ? 'from' : 'to';
  const endpoint = body.is_program === true ? 'program' : body.filename !== undefined ? 'file' : 'client';
  if (endpoint !== 'client') env.tally.act('sql:copy_file');
  const columns = body.query === undefined ? tableColumns(body, direction, env) : queryColumns(body, env);
  // Rows that go to the server's disk or a program are out of the masker's reach.
  if (direction === 'to' && endpoint !== 'client') {
    const labels = columns.reduce((sum, column) => joinLabels(sum, column.labels), noLabels);
    env.tally.expose(labels, `copies labelled values to a ${endpoint}`);
  }
  const meaning: CopyMeaning = { direction, endpoint, columns, ...options(body) };
  return {
    kind: direction === 'to' ? 'copy_to' : 'copy_from',
    copy: meaning,
  };
}

function tableColumns(body: Body<'CopyStmt'>, direction: 'to' | 'from', env: Env): readonly CopyColumn[] {
  const range = body.relation;
  if (range === undefined) throw new MeaningError('unsupported', 'a COPY of nothing');
  env.unseen.delete(range);
  const relation = env.names.relation(range);
  if (direction === 'to') {
    env.rules.read(relation, env);
    env.tally.relation('sql:copy_to', relation);
  } else writes(relation, 'sql:copy_from', env);
  const table = { relation, source: relationSource(relation, range.relname ?? '', [], true, env) };
  if (relation.open === true) {
    throw new MeaningError(
      'send_separately',
      `the columns of "${relation.name}" are not known while it is being altered`,
      {
        hint: 'End the transaction that altered it, then copy.',
      },
    );
  }
  const inner = withScope(env, scopeOf([table.source], table.source.columns, undefined));
  env.rules.filter(body.whereClause, inner, 'COPY');
  const names = strings(body.attlist);
  return (names.length > 0 ? names : defaultColumns(relation)).map((name) => {
    const column = columnOf(table, name, env);
    if (column.path !== undefined) env.tally.column(column.path, direction === 'to' ? column.labels : noLabels);
    const known = relation.columns.find((candidate) => candidate.name === name);
    const type = known ? { type: known.type, typmod: known.typmod } : {};
    return { name, labels: column.labels, ...type };
  });
}

/** Generated columns are left out (COPY, "Description"). */
function defaultColumns(relation: Relation): readonly string[] {
  return relation.columns.filter((column) => column.generated === undefined).map((column) => column.name);
}

function queryColumns(body: Body<'CopyStmt'>, env: Env): readonly CopyColumn[] {
  if (body.query === undefined) return [];
  const { output } = env.rules.nested(body.query, env);
  for (const resource of env.tally.resources('sql:select')) env.tally.act('sql:copy_to', resource);
  if (output?.open !== undefined) {
    throw new MeaningError('unsupported', 'COPY of a query whose columns the gateway cannot tell', {
      hint: 'Name the columns in the query instead of using * on a function.',
    });
  }
  return (output?.columns ?? []).map(({ name, labels }) => ({ name, labels }));
}

const formats: ReadonlySet<string> = new Set(['text', 'csv', 'binary']);

function options(body: Body<'CopyStmt'>): Omit<CopyMeaning, 'direction' | 'endpoint' | 'columns'> {
  const given = new Map<string, string | undefined>();
  for (const node of body.options ?? []) {
    const option = as(node, 'DefElem');
    if (option?.defname !== undefined) given.set(option.defname, optionText(option.arg));
  }
  const format = given.get('format') ?? 'text';
  if (!formats.has(format)) throw new MeaningError('unsupported', `COPY format "${format}" not recognized`);
  const encoding = given.get('encoding')?.replaceAll(/[-_]/g, '').toLowerCase();
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'unicode') {
    throw new MeaningError('forbidden_setting', "COPY through the gateway is possible in encoding 'UTF8' only");
  }
  const quote = given.get('quote') ?? '"';
  return {
    format: format as CopyMeaning['format'],
    delimiter: given.get('delimiter') ?? (format === 'csv' ? ',' : '\t'),
    nullText: given.get('null') ?? (format === 'csv' ? '' : '\\N'),
    quote,
    escape: given.get('escape') ?? quote,
    header: given.has('header') && !['false', 'off', '0'].includes((given.get('header') ?? 'true').toLowerCase()),
  };
}
