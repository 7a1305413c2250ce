import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { fields } from '../terminal/table.ts';
import { span } from '../terminal/time.ts';
import { visible } from '../terminal/visible.ts';
import { duration, whole } from './arguments.ts';

interface Options {
  readonly ttl?: string;
  readonly uses?: number;
}

export function registerAccess(program: Command, runner: Runner): void {
  program
    .command('access')
    .argument('<target>', 'name of the target')
    .description('get a short-lived access credential for a target: a user name and a password')
    .option('--ttl <duration>', 'how long it is good for, like 90s, 15m, 8h (default: set by the gateway)', duration)
    .option('--uses <n>', 'how many logins it is good for (default: any number)', whole(1, 1_000_000))
    .addHelpText('after', '\nExamples:\n  $ sluice access shop\n  $ sluice access shop --ttl 5m --uses 1 --json')
    .action(
      runner.action<Options>(async ({ client, output }, [target = ''], { ttl, uses }) => {
        const issued = await client().issueAccessCredential({
          target,
          ...(ttl === undefined ? {} : { ttl }),
          ...(uses === undefined ? {} : { uses }),
        });
        const left = span(Date.parse(issued.expires_at) - Date.now());
        output.answer(issued, () =>
          fields(
            [
              ['user', visible(issued.id)],
              ['password', visible(issued.secret)],
              ['target', visible(issued.target)],
              ['expires', `${visible(issued.expires_at)} (in ${left})`],
            ],
            output.paint.dim,
          ),
        );
        output.note('The password is shown this once. Give it to any client of the target, with the user name above.');
        return undefined;
      }),
    );
}
