import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { positive } from './arguments.ts';
import { recordingBytes, sessionOrFile } from './session-source.ts';

interface Options {
  readonly speed?: number;
  /** False with `--no-wait`. */
  readonly wait: boolean;
}

export function registerReplay(sessions: Command, runner: Runner): void {
  sessions
    .command('replay')
    .argument('<session>', sessionOrFile)
    .description('show what happened in a session, as its client saw it and with the pauses it had')
    .option('--speed <n>', 'so many times as fast, like 4 or 0.5', positive)
    .option('--no-wait', 'without the pauses')
    .addHelpText(
      'after',
      `
With --json it prints the events as JSON Lines, without pauses. Exit code 1 when a part could not be read. A replay proves
nothing: see sluice audit verify.

Examples:
  $ sluice sessions replay ses_… --speed 4
  $ sluice sessions replay ./ses_….sluice --no-wait`,
    )
    .action(
      runner.action<Options>(async (context, [name = ''], { speed, wait }) => {
        const { output } = context;
        const bytes = await recordingBytes(context, name);
        const [{ eventsOf }, { replay }, { exportJsonLines }] = await Promise.all([
          import('../recording/recording-source.ts'),
          import('../recording/replay.ts'),
          import('../recording/export.ts'),
        ]);
        if (output.json) {
          await exportJsonLines(eventsOf(bytes), output.stdout);
          return undefined;
        }
        const unreadable = await replay(eventsOf(bytes), output.stdout, {
          ...(speed === undefined ? {} : { speed }),
          noWait: !wait,
          color: output.colored,
        });
        return unreadable === 0 ? undefined : 'failure';
      }),
    );
}
