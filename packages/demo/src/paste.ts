import { join } from 'node:path';
import type { RoleName } from './identity/cast.ts';
import type { Stage } from './start.ts';
import { buildHost, crm, onCall, runbooks, shop } from './targets.ts';
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
  const { postgres, http, mcp } = stage.listeners;
  const token = (role: RoleName): string => quoted(join(dir, 'tokens', `${role}.jwt`));
  const psql = (role: RoleName, user: string): string =>
    `PGPASSWORD="$(cat ${token(role)})" psql "host=localhost port=${postgres.port} dbname=${shop} ` +
    `user=${user} sslmode=verify-full sslrootcert=${connectionValue(join(dir, 'tls', 'ca.crt'))}"`;
  const sluice = (role: RoleName, command: string): string =>
    `npx sluice --api ${stage.api} --token-file ${token(role)} ${command}`;
  const curl = (role: RoleName, rest: string): string =>
    `curl --cacert ${quoted(join(dir, 'tls', 'ca.crt'))} -H "Authorization: Bearer $(cat ${token(role)})" ` +
    `${rest.replace('BASE', `https://localhost:${http.port}/t/${crm}`)}`;
  const sections: readonly (readonly [string, ...string[]])[] = [
    [
      'As the AI agent: reads, sees masked values, may not change anything on its own',
      psql('agent', 'support-agent'),
      dim('  select name, email, phone from customers limit 5;'),
      dim('  drop table payments;'),
      dim("  update orders set status = 'paid' where id = 4217;      -- waits for a DBA"),
    ],
    [
      'On the build host: get a key that is good for some minutes, and the ssh command to go with it',
      sluice('agent', `access ${buildHost}`),
      dim('  … tail -n 4 logs/checkout.log'),
      dim('  … svc restart checkout                               # waits for whoever is on call'),
    ],
    [
      'At the CRM: reads, refunds up to 50.00, may not delete anybody',
      curl('agent', 'BASE/v1/customers/1224'),
      curl('agent', `-H 'Content-Type: application/json' -d '{"order":4217,"amount":25000}' BASE/v1/refunds`),
    ],
    [
      'As an agent that speaks MCP: all targets as tools, or one MCP server behind the gateway',
      `http://localhost:${mcp.port}/mcp      http://localhost:${mcp.port}/mcp/${runbooks}`,
      dim(`  with the header  Authorization: Bearer <content of ${join(dir, 'tokens', 'agent.jwt')}>`),
    ],
    ['As an engineer: sees e-mail addresses, may write, may not change the schema', psql('engineer', 'dana')],
    [
      'As the DBA, who is on call, too: see what waits, and answer',
      sluice('dba', 'requests ls'),
      sluice('dba', 'requests approve <id>'),
    ],
    [
      'Afterwards: see what happened, and prove it',
      sluice('dba', 'sessions ls'),
      sluice('dba', 'sessions replay <id>'),
      `npx sluice audit verify ${quoted(dir)}`,
    ],
    [
      'Change what is allowed: save a policy and it holds at once; its tests say what you broke',
      join(dir, 'policies', '*.cedar'),
      `npx sluice policy test -c ${quoted(join(dir, 'sluice.yaml'))} ${quoted(join(dir, 'policies', 'tests.yaml'))}`,
    ],
  ];
  const body = sections.map(([title, ...lines]) => [bold(title), ...lines.map((line) => `  ${line}`)].join('\n'));
  const head = `Sluice is running (${options.seconds.toFixed(1)} s). What is behind it is only reached through it.`;
  const facts = [
    `API ${stage.api}   data ${dir}   log ${join(dir, 'gateway.log')}`,
    `Behind it: database "${shop}", SSH host "${buildHost}", API "${crm}", MCP servers "${runbooks}" and "${onCall}"`,
    `"${buildHost}" is ${hostKind(stage)}; commands run on this machine, as ${stage.host.runsAs}`,
  ]
    .map(dim)
    .join('\n');
  return `\n${bold(head)}\n${facts}\n\n${body.join('\n\n')}\n\nCtrl-C stops everything. No psql at hand? The guided tour needs none: npm run tour\n`;
}

/** What stands for a host on this machine, with nothing hidden. */
function hostKind({ host }: Stage): string {
  return host.standIn === undefined ? `a real ${host.server}` : `a stand-in (${host.standIn})`;
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
