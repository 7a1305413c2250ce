import { inTarget } from '../../sql/resources.ts';
import type { Env } from './env.ts';
import { MeaningError } from './error.ts';

/**
 * Which settings a session may change freely, which are actions, and which may never change because the gateway would
 * then read something else than the server does.
 */

/** Change how answers look, how long things may take, or how they are planned; never what they are or who may see them. */
const harmless: ReadonlySet<string> = new Set([
  // Only to what they are already (see below).
  'client_encoding',
  'standard_conforming_strings',
  'application_name',
  'datestyle',
  'intervalstyle',
  'timezone',
  'extra_float_digits',
  'bytea_output',
  'client_min_messages',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'tcp_user_timeout',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'default_transaction_deferrable',
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
  'lc_messages',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'xmloption',
  'xmlbinary',
  'geqo',
  'jit',
  'plan_cache_mode',
  'enable_bitmapscan',
  'enable_hashagg',
  'enable_hashjoin',
  'enable_indexscan',
  'enable_indexonlyscan',
  'enable_mergejoin',
  'enable_nestloop',
  'enable_seqscan',
  'enable_sort',
  'random_page_cost',
  'seq_page_cost',
  'cursor_tuple_fraction',
  'gin_fuzzy_search_limit',
  'default_text_search_config',
  'synchronize_seqscans',
  'quote_all_identifiers',
  'array_nulls',
]);

/** SET takes names in any case, and some under another name (SET, "Description"). */
const otherNames: Readonly<Record<string, string>> = {
  names: 'client_encoding',
  schema: 'search_path',
  'time zone': 'timezone',
  'session characteristics': 'default_transaction_isolation',
};

export function settingName(name: string): string {
  const lower = name.toLowerCase();
  return Object.hasOwn(otherNames, lower) ? (otherNames[lower] ?? lower) : lower;
}

/** `value` undefined: not known here, or back to the default. */
export function refuseForbidden(name: string, value: string | undefined, isReset: boolean): void {
  const plain = value?.replaceAll(/[-_ ]/g, '').toLowerCase();
  if (name === 'client_encoding' && plain !== 'utf8' && plain !== 'unicode') forbid(name, "only 'UTF8'", isReset);
  if (
    name === 'standard_conforming_strings' &&
    plain !== 'on' &&
    plain !== 'true' &&
    plain !== '1' &&
    plain !== 'yes'
  ) {
    forbid(name, 'only on', isReset);
  }
}

function forbid(name: string, allowed: string, isReset: boolean): void {
  // At the start of the session both were checked, and the gateway asked for what it needs: going back to that is safe.
  if (isReset) return;
  throw new MeaningError(
    'forbidden_setting',
    `parameter "${name}" cannot be changed through the gateway (${allowed} is possible)`,
    {
      hint: 'The gateway would read statements differently from the server.',
    },
  );
}

export interface SettingChange {
  readonly name: string;
  readonly value: string | undefined;
  readonly isReset: boolean;
}

/** SET, RESET and set_config() of one setting. */
export function judgeSetting({ name: written, value, isReset }: SettingChange, env: Env): void {
  const name = settingName(written);
  refuseForbidden(name, value, isReset);
  const known = isReset ? undefined : value;
  switch (name) {
    case 'search_path':
      env.tally.act('sql:set_search_path', inTarget('Setting', env.ctx.target, name));
      env.tally.effect({ kind: 'search_path' });
      return;
    case 'role':
      setRole(known, env);
      env.tally.effect({ kind: 'role', name: known });
      env.tally.effect({ kind: 'search_path' });
      return;
    case 'session_authorization':
      setRole(known, env);
      env.tally.effect({ kind: 'session_authorization', name: known });
      env.tally.effect({ kind: 'search_path' });
      return;
    default:
      if (harmless.has(name)) env.tally.act('sql:session');
      else env.tally.act('sql:set', inTarget('Setting', env.ctx.target, name));
      env.tally.effect({ kind: 'setting', name });
  }
}

function setRole(name: string | undefined, env: Env): void {
  if (name === undefined || name === 'none') env.tally.act('sql:set_role');
  else env.tally.act('sql:set_role', inTarget('Role', env.ctx.target, name));
}

export function judgeSetConfig(name: string | undefined, value: string | undefined, env: Env): void {
  if (name !== undefined) {
    judgeSetting({ name, value, isReset: false }, env);
    return;
  }
  // pg_dump sets a setting by its name from pg_settings. A list is no encoding and no boolean, so whichever setting it
  // is, it is none of those that must not change.
  if (value === undefined || !value.includes(',')) {
    throw new MeaningError(
      'forbidden_setting',
      'set_config() through the gateway needs the name of the setting as a constant',
    );
  }
  env.tally.act('sql:set');
  env.tally.act('sql:set_role');
  env.tally.act('sql:set_search_path', inTarget('Setting', env.ctx.target, 'search_path'));
  env.tally.effect({ kind: 'search_path' });
  env.tally.effect({ kind: 'role', name: undefined });
}

/** RESET ALL: back to what the session started with; role and session authorization are not part of it. */
export function resetSettings(env: Env): void {
  env.tally.act('sql:session');
  env.tally.effect({ kind: 'search_path' });
}

/** DISCARD ALL goes back to the login's own role as well, which is something only where another one is set. */
export function resetSession(env: Env): void {
  if (env.ctx.role === env.ctx.sessionUser) env.tally.act('sql:session');
  else env.tally.act('sql:set_role');
  env.tally.effect({ kind: 'search_path' });
  env.tally.effect({ kind: 'role', name: undefined });
  env.tally.effect({ kind: 'session_authorization', name: undefined });
}
