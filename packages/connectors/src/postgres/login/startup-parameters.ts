/** Which startup parameters a client may set, and which of them go on to the server. */
import type { Problem } from '../protocol/messages.ts';

/**
 * Settings that only shape how values are printed or how long things may take. Everything else could change what a
 * statement means or may do, and has to be asked for in a statement, where policy sees it.
 */
const passedOn = new Map<string, (value: string) => boolean>([
  ['application_name', (value) => value.length <= 256],
  ['datestyle', () => true],
  ['timezone', () => true],
  ['intervalstyle', () => true],
  ['extra_float_digits', () => true],
  ['bytea_output', () => true],
  ['statement_timeout', () => true],
  ['lock_timeout', () => true],
  ['idle_in_transaction_session_timeout', () => true],
  ['client_min_messages', () => true],
  ['geqo', () => true],
  ['jit', () => true],
  ['default_transaction_read_only', (value) => /^(on|true|1|yes)$/i.test(value)],
]);

export type StartupParameters =
  | {
      readonly ok: true;
      readonly user: string;
      readonly database: string;
      readonly application: string | undefined;
      readonly settings: ReadonlyMap<string, string>;
      /** Protocol options (`_pq_.…`) that we do not know. */
      readonly unknownOptions: readonly string[];
    }
  | { readonly ok: false; readonly problem: Problem };

export function readStartupParameters(parameters: ReadonlyMap<string, string>): StartupParameters {
  const settings = new Map<string, string>();
  const unknownOptions: string[] = [];
  const user = parameters.get('user') ?? '';
  if (user === '') return refused('28000', 'no user name in the startup packet');
  for (const [name, value] of parameters) {
    if (name === 'user' || name === 'database') continue;
    if (name.startsWith('_pq_.')) {
      unknownOptions.push(name);
    } else if (name === 'options') {
      const parsed = readOptions(value);
      if (parsed === undefined)
        return refused('0A000', 'startup parameter "options" holds something the gateway does not pass on');
      for (const [option, setting] of parsed) {
        const refusal = take(option, setting, settings);
        if (refusal) return refusal;
      }
    } else {
      const refusal = take(name, value, settings);
      if (refusal) return refusal;
    }
  }
  return {
    ok: true,
    user,
    database: parameters.get('database') ?? user,
    application: settings.get('application_name'),
    settings,
    unknownOptions,
  };
}

function take(name: string, value: string, settings: Map<string, string>): StartupParameters | undefined {
  const key = name.toLowerCase();
  if (key === 'client_encoding') {
    // Another encoding would let the server read other characters than the ones that were judged.
    if (/^['"]?utf-?_?8['"]?$/i.test(value) || /^unicode$/i.test(value)) return undefined;
    return refused('22023', `client_encoding "${shown(value)}" is not supported: the gateway speaks UTF8 only`);
  }
  if (key === 'replication') {
    if (/^(off|false|0|no)$/i.test(value)) return undefined;
    return refused('0A000', 'replication connections are not available through the gateway');
  }
  if (key === 'standard_conforming_strings' && /^(on|true|1|yes)$/i.test(value)) return undefined;
  const accepts = passedOn.get(key);
  if (!accepts?.(value)) {
    return refused(
      '0A000',
      `startup parameter "${shown(name)}" is not passed on`,
      'Send it as a SET statement, where policy can judge it.',
    );
  }
  settings.set(key, value);
  return undefined;
}

/** `-c name=value` and `--name=value`, separated by spaces, `\` escaping as libpq documents; undefined for anything else. */
function readOptions(text: string): [string, string][] | undefined {
  const words = [...text.matchAll(/(?:\\.|[^\s\\])+/gsu)].map((match) => match[0].replace(/\\(.)/gsu, '$1'));
  const pairs: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    let word = words[index] ?? '';
    if (word === '-c') word = words[++index] ?? '';
    else if (word.startsWith('--')) word = word.slice(2);
    else if (word.startsWith('-c')) word = word.slice(2);
    else return undefined;
    const match = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/su.exec(word);
    if (!match) return undefined;
    pairs.push([(match[1] ?? '').replaceAll('-', '_'), match[2] ?? '']);
  }
  return pairs;
}

function refused(code: string, message: string, hint?: string): StartupParameters {
  const problem: Problem = { severity: 'FATAL', code, message };
  return { ok: false, problem: hint ? { ...problem, hint } : problem };
}

function shown(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
