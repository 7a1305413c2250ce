import { type Labels, noLabels } from '../../sql/label-set.ts';
import type { Relation } from './catalog.ts';

/**
 * The server's own relations that show more than names. Planner statistics, large objects and other sessions' statements
 * hold values of any table, so they carry every label. What keeps passwords, or values of tables that the reader may
 * not be allowed to read, is no matter of labels: reading it is an action of its own (`holdsSecrets`).
 */

const everyColumn = Symbol('every column');

const carriesValues: Readonly<Record<string, readonly string[] | typeof everyColumn>> = {
  pg_statistic: everyColumn,
  pg_stats: [
    'most_common_vals',
    'histogram_bounds',
    'most_common_elems',
    'range_length_histogram',
    'range_bounds_histogram',
  ],
  pg_statistic_ext_data: everyColumn,
  pg_stats_ext: ['most_common_vals', 'most_common_val_nulls'],
  pg_stats_ext_exprs: ['most_common_vals', 'histogram_bounds', 'most_common_elems'],
  pg_largeobject: ['data'],
  pg_stat_activity: ['query'],
  // Subscribers and constraint texts may quote values that somebody wrote into DDL; those stay readable, as in \d.
};

const secrets: ReadonlySet<string> = new Set([
  'pg_authid',
  'pg_shadow',
  'pg_user_mapping',
  'pg_user_mappings',
  'user_mapping_options',
  '_pg_user_mappings',
  'pg_subscription',
  'pg_hba_file_rules',
  'pg_ident_file_mappings',
  'pg_file_settings',
  // Samples and contents of any table, whoever may read that table.
  'pg_statistic',
  'pg_statistic_ext_data',
  'pg_stats',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_largeobject',
]);

export function systemColumnLabels(relation: Relation, column: string, all: Labels): Labels {
  if (relation.kind === 'toast') return all;
  const columns = carriesValues[relation.name];
  if (columns === undefined) return noLabels;
  return columns === everyColumn || columns.includes(column) ? all : noLabels;
}

export function holdsSecrets(relation: Relation): boolean {
  return relation.system && secrets.has(relation.name);
}
