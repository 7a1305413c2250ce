import type { CatalogFunction } from '../catalog/catalog.ts';

/**
 * What is known of the server's own functions (PostgreSQL 15 to 18). Those that only compute need no action; every other,
 * and every volatile one that is not listed as harmless, is an action of its own.
 */
function set(names: string): ReadonlySet<string> {
  return new Set(names.trim().split(/\s+/));
}

/** Volatile in the catalog, yet nothing but a clock, a die, or a look at the session or at sizes. */
const harmlessVolatile = set(`
  clock_timestamp timeofday random random_normal setseed gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle
  current_query currval lastval txid_status pg_xact_status pg_is_in_recovery pg_relation_size pg_table_size
  pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size pg_partition_tree pg_partition_ancestors
  pg_jit_available pg_sequence_last_value pg_notification_queue_usage pg_blocking_pids pg_safe_snapshot_blocking_pids
  pg_collation_actual_version pg_database_collation_actual_version pg_lock_status pg_prepared_xact amvalidate
  pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_last_committed_xact
  pg_xact_commit_timestamp pg_stat_clear_snapshot pg_stat_have_stats pg_stat_get_xact_blocks_fetched
  pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
  pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted
  pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
  pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
  pg_stat_get_io pg_stat_get_recovery_prefetch pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
`);

/** Run SQL that they are given as text, or read tables, large objects or other sessions by name: anything may come back. */
const readsAnything = set(`
  query_to_xml query_to_xml_and_xmlschema query_to_xmlschema cursor_to_xml cursor_to_xmlschema
  table_to_xml table_to_xml_and_xmlschema table_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema
  schema_to_xmlschema database_to_xml database_to_xml_and_xmlschema database_to_xmlschema ts_stat ts_rewrite
  lo_get loread lo_export lo_import pg_read_file pg_read_file_old pg_read_binary_file pg_mcv_list_items
  pg_stat_get_activity pg_stat_get_backend_activity pg_logical_slot_get_changes pg_logical_slot_peek_changes
  pg_logical_slot_get_binary_changes pg_logical_slot_peek_binary_changes pg_get_sequence_data
`);

/** Of those, the ones that run SQL given as text: it may also keep, send or compare what it reads. */
export const runsSql = set(`
  query_to_xml query_to_xml_and_xmlschema query_to_xmlschema cursor_to_xml cursor_to_xmlschema ts_stat ts_rewrite
`);

/** Stable or immutable in the catalog, and still more than computing. */
const notJustComputing = set(`
  domain_in domain_recv array_in array_recv record_in record_recv range_in range_recv multirange_in multirange_recv
  pg_input_is_valid pg_input_error_info
  pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_config
  pg_get_replication_slots pg_stat_get_wal_senders pg_stat_get_wal_receiver pg_stat_get_subscription
  pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects pg_relation_filepath
  pg_current_logfile pg_get_loaded_modules
`);

const advisoryLocks = /^pg_(try_)?advisory_(xact_)?lock/;

export type BuiltInClass =
  | 'compute'
  | 'call'
  | 'reads_anything'
  | 'sequence'
  | 'lock'
  | 'set_config'
  | 'notify'
  | 'show';

export function classify(one: Pick<CatalogFunction, 'name' | 'volatility'>): BuiltInClass {
  if (readsAnything.has(one.name)) return 'reads_anything';
  if (one.name === 'nextval' || one.name === 'setval') return 'sequence';
  if (advisoryLocks.test(one.name)) return 'lock';
  if (one.name === 'set_config') return 'set_config';
  if (one.name === 'pg_notify') return 'notify';
  if (one.name === 'current_setting') return 'show';
  if (notJustComputing.has(one.name)) return 'call';
  if (one.volatility !== 'volatile') return 'compute';
  return harmlessVolatile.has(one.name) ? 'compute' : 'call';
}

/** Extensions whose C functions compute with what they are given and reach nothing else. */
const computingExtensions = set(`
  citext hstore pg_trgm ltree intarray cube seg isn uuid-ossp unaccent fuzzystrmatch btree_gist btree_gin
  earthdistance pgcrypto vector bloom
`);

export function onlyComputes(one: CatalogFunction): boolean {
  return (
    one.extension !== undefined &&
    computingExtensions.has(one.extension) &&
    (one.language === 'c' || one.language === 'internal') &&
    one.volatility !== 'volatile'
  );
}
