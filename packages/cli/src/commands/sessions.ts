import type { Session } from '@sluice/api/schema/session.ts';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { fields, table } from '../terminal/table.ts';
import { shortTime, span } from '../terminal/time.ts';
import { visible } from '../terminal/visible.ts';
import { whole } from './arguments.ts';
import { registerExport } from './session-export.ts';
import { registerReplay } from './session-replay.ts';

interface ListOptions {
  readonly live?: boolean;
  readonly target?: string;
  readonly principal?: string;
  readonly limit?: number;
  readonly before?: string;
}

export function registerSessions(program: Command, runner: Runner): void {
  const sessions = program
    .command('sessions')
    .description('sessions: who is or was on which target, and what happened');

  sessions
    .command('ls')
    .description('list the sessions you may see, newest first')
    .option('--live', 'only those that are going on')
    .option('--target <name>', 'only those on this target')
    .option('--principal <id>', 'only those of this principal')
    .option('--limit <n>', 'at most this many', whole(1, 200))
    .option('--before <cursor>', 'go on where an earlier list ended')
    .addHelpText('after', '\nExamples:\n  $ sluice sessions ls --live\n  $ sluice sessions ls --target shop --json')
    .action(
      runner.action<ListOptions>(async ({ client, output }, _args, options) => {
        const page = await client().sessions(options);
        const now = Date.now();
        output.answer(page, () =>
          page.items.length === 0
            ? ['No sessions.']
            : table<Session>(
                [
                  { title: 'ID', text: (row) => row.id },
                  { title: 'STARTED', text: (row) => shortTime(row.started_at, now) },
                  {
                    title: 'LASTED',
                    text: (row) => span((row.ended_at ? Date.parse(row.ended_at) : now) - Date.parse(row.started_at)),
                  },
                  { title: 'PRINCIPAL', text: (row) => `${row.principal.kind} ${row.principal.display_name}` },
                  { title: 'TARGET', text: (row) => row.target },
                  { title: 'CONNECTOR', text: (row) => row.connector },
                  {
                    title: 'STATE',
                    text: (row) => stateOf(row),
                    paint: (text, row) => (row.live ? output.paint.green(text) : text),
                  },
                ],
                page.items,
                output.paint.bold,
              ),
        );
        if (page.next !== undefined) output.note(`More: --before ${page.next}`);
        return undefined;
      }),
    );

  sessions
    .command('show')
    .argument('<id>', 'id of the session')
    .description('show one session')
    .action(
      runner.action(async ({ client, output }, [id = '']) => {
        const session = await client().session(id);
        output.answer(session, () => sessionLines(session, output.paint.dim));
        return undefined;
      }),
    );

  sessions
    .command('kill')
    .argument('<id>', 'id of the session')
    .description('end a live session now')
    .action(
      runner.action(async ({ client, output }, [id = '']) => {
        const killed = await client().kill(id);
        output.answer(killed, () => [`${visible(killed.id)} killed`]);
        return undefined;
      }),
    );

  registerReplay(sessions, runner);
  registerExport(sessions, runner);
}

function stateOf(session: Session): string {
  return session.live ? 'live' : (session.end_reason ?? 'ended').replaceAll('_', ' ');
}

function sessionLines(session: Session, dim: (text: string) => string): string[] {
  const { principal, client } = session;
  const pairs: [string, string][] = [
    ['session', visible(session.id)],
    ['state', visible(stateOf(session))],
    ['principal', `${principal.kind} ${visible(principal.display_name)} (${visible(principal.id)})`],
    ['target', `${visible(session.target)} (${visible(session.connector)})`],
    ['client', `${visible(client.address)}${client.secure ? '' : ' (clear text)'}`],
  ];
  if (client.application !== undefined) pairs.push(['calls itself', visible(client.application)]);
  pairs.push(['started', visible(session.started_at)]);
  if (session.ended_at !== undefined) pairs.push(['ended', visible(session.ended_at)]);
  for (const [name, count] of Object.entries(session.counts ?? {})) pairs.push([visible(name), String(count)]);
  return fields(pairs, dim);
}
