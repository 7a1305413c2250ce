import type { AccessRequest } from '@sluice/api/schema/access-request.ts';
import { accessRequestStates } from '@sluice/api/states.ts';
import { type Command, Option } from 'commander';
import type { Runner } from '../context.ts';
import { table } from '../terminal/table.ts';
import { span } from '../terminal/time.ts';
import { visible } from '../terminal/visible.ts';
import { whole } from './arguments.ts';
import { requestLines, statePaint } from './request-text.ts';

interface ListOptions {
  readonly state?: AccessRequest['state'];
  readonly target?: string;
  readonly limit?: number;
  readonly before?: string;
}

interface AnswerOptions {
  readonly comment?: string;
}

export function registerRequests(program: Command, runner: Runner): void {
  const requests = program.command('requests').description('access requests: what waits for a human, and the answers');

  requests
    .command('ls')
    .description('list the requests you may see, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(accessRequestStates))
    .option('--target <name>', 'only those on this target')
    .option('--limit <n>', 'at most this many', whole(1, 200))
    .option('--before <cursor>', 'go on where an earlier list ended')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice requests ls --state pending\n  $ sluice requests ls --target shop --json',
    )
    .action(
      runner.action<ListOptions>(async ({ client, output }, _args, options) => {
        const page = await client().accessRequests(options);
        const now = Date.now();
        output.answer(page, () =>
          page.items.length === 0
            ? ['No access requests.']
            : table<AccessRequest>(
                [
                  { title: 'ID', text: (row) => row.id },
                  {
                    title: 'STATE',
                    text: (row) => row.state,
                    paint: (text, row) => statePaint(output.paint, row.state)(text),
                  },
                  { title: 'AGE', text: (row) => span(now - Date.parse(row.created_at)) },
                  { title: 'REQUESTER', text: (row) => `${row.requester.kind} ${row.requester.display_name}` },
                  { title: 'TARGET', text: (row) => row.target },
                  { title: 'NEEDS', text: (row) => row.consents.map((consent) => consent.group).join('+') },
                  { title: 'ACTION', text: (row) => summary(row) },
                ],
                page.items,
                output.paint.bold,
              ),
        );
        if (page.next !== undefined) output.note(`More: --before ${page.next}`);
        return undefined;
      }),
    );

  requests
    .command('show')
    .argument('<id>', 'id of the request')
    .description('show one request whole: exactly what will run, for whom, and why it is held')
    .action(
      runner.action(async ({ client, output }, [id = '']) => {
        const request = await client().accessRequest(id);
        output.answer(request, () => requestLines(request, output.paint, Date.now()));
        return undefined;
      }),
    );

  requests
    .command('revoke')
    .argument('<id>', 'id of the request')
    .description('take an approval back that was not used yet')
    .action(
      runner.action(async ({ client, output }, [id = '']) => {
        const request = await client().revokeGrant(id);
        output.answer(request, () => [
          `${visible(request.id)} ${statePaint(output.paint, request.state)(request.state)}`,
        ]);
        return undefined;
      }),
    );

  for (const answer of ['approve', 'deny'] as const) {
    requests
      .command(answer)
      .argument('<id>', 'id of the request')
      .description(answer === 'approve' ? 'approve a pending request' : 'deny a pending request')
      .option('--comment <text>', 'why; shown to the requester and kept in the recording')
      .addHelpText('after', `\nExample:\n  $ sluice requests ${answer} req_… --comment "checked with the owner"`)
      .action(
        runner.action<AnswerOptions>(async ({ client, output }, [id = ''], { comment }) => {
          const request = await client()[answer](id, comment);
          output.answer(request, () => {
            const paint = statePaint(output.paint, request.state);
            const more = request.state === 'pending' ? ' (your answer counts; more people must consent)' : '';
            return [`${visible(request.id)} ${paint(request.state)}${more}`];
          });
          return undefined;
        }),
      );
  }
}

/** One line; the whole text is in `show`. */
function summary(request: AccessRequest): string {
  const text = request.actions.map((action) => action.text).find((one) => one !== '') ?? '';
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
