import { join } from 'node:path';
import type { RoleName } from './identity/cast.ts';
import type { Stage } from './start.ts';
import { ink } from './terminal/ink.ts';

export interface PasteOptions {
  /** How long the start took. */
  readonly seconds: number;
  /** The data directory as a person in this directory would write it. */
  readonly shownDir: string;
}

/** What the demo says once it runs: lines to paste, each with why one would. */
export function paste(stage: Stage, options: PasteOptions): string {
  const { bold, dim } = ink(process.stdout);
  const dir = options.shownDir;
  const token = (role: RoleName): string => quoted(join(dir, 'tokens', `${role}.jwt`));
  const psql = (role: RoleName, user: string): string =>
    `PGPASSWORD="$(cat ${token(role)})" psql "host=localhost port=${stage.postgres.port} dbname=${stage.target} ` +
    `user=${user} sslmode=verify-full sslrootcert=${connectionValue(join(dir, 'tls', 'ca.crt'))}"`;
  const sluice = (command: string): string => `npx sluice --api ${stage.api} --token-file ${token('dba')} ${command}`;
  const sections: readonly (readonly [string, ...string[]])[] = [
    [
      'As the AI agent: reads, sees masked values, may not change anything on its own',
      psql('agent', 'support-agent'),
      dim('  select name, email, phone from customers limit 5;'),
      dim('  drop table payments;'),
      dim("  update orders set status = 'paid' where id = 4217;      -- waits for a DBA"),
    ],
    ['As an engineer: sees e-mail addresses, may write, may not change the schema', psql('engineer', 'dana')],
    ['As the DBA: see what waits, and answer', sluice('requests ls'), sluice('requests approve <id>')],
    [
      'Afterwards: see what happened, and prove it',
      sluice('sessions ls'),
      sluice('sessions replay <id>'),
      `npx sluice audit verify ${quoted(dir)}`,
    ],
    [
      'Change what is allowed: save a policy and it holds at once; its tests say what you broke',
      join(dir, 'policies', '*.cedar'),
      `npx sluice policy test -c ${quoted(join(dir, 'sluice.yaml'))} ${quoted(join(dir, 'policies', 'tests.yaml'))}`,
    ],
  ];
  const body = sections.map(([title, ...lines]) => [bold(title), ...lines.map((line) => `  ${line}`)].join('\n'));
  const head = `Sluice is running (${options.seconds.toFixed(1)} s). Database "${stage.target}" is only reached through it.`;
  const facts = dim(`API ${stage.api}   data ${dir}   log ${join(dir, 'gateway.log')}`);
  return `\n${bold(head)}\n${facts}\n\n${body.join('\n\n')}\n\nCtrl-C stops everything. No psql at hand? The guided tour needs none: npm run tour\n`;
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** For libpq's connection strings, inside double quotes of a shell. */
function connectionValue(value: string): string {
  if (/^[\w./:@%+=-]+$/.test(value)) return value;
  const libpq = `'${value.replace(/['\\]/g, (sign) => `\\${sign}`)}'`;
  return libpq.replace(/["$`\\]/g, (sign) => `\\${sign}`);
}
