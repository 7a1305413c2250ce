import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Context, Runner } from '../context.ts';
import type { Shown } from '../recording/replay.ts';
import { positive, whole } from './arguments.ts';
import { recordingBytes, sessionOrFile } from './session-source.ts';

interface Options {
  readonly speed?: number;
  readonly unit?: number;
  readonly input?: boolean;
  readonly raw?: boolean;
}

export const largestUnit = 2 ** 32 - 1;

export function registerReplay(sessions: Command, runner: Runner): void {
  sessions
    .command('replay')
    .argument('<session>', sessionOrFile)
    .description('show what happened in a session, as its client saw it')
    .option('--speed <n>', 'with the pauses it had, so many times as fast, like 1, 4 or 0.5', positive)
    .option('--unit <n>', 'only this unit, by its number in the export', whole(0, largestUnit))
    .option('--input', 'also what was typed at terminals, be it a password')
    .option('--raw', 'draw what one unit wrote to its terminal instead of a transcript; only to a terminal')
    .addHelpText(
      'after',
      `
With --json it prints the events as JSON Lines, without pauses. Exit code 1 when a part could not be read. A replay proves
nothing: see sluice audit verify.

Examples:
  $ sluice sessions replay ses_… --speed 4
  $ sluice sessions replay ./ses_….sluice --raw --speed 1`,
    )
    .action(
      runner.action<Options>(async (context, [name = ''], options) => {
        const { output } = context;
        if (options.raw && !output.json && !output.terminal) {
          throw new CliError('usage', '--raw draws on a terminal, and standard output is none.', {
            hint: 'Without --raw the replay is text for any use; for a player, see sluice sessions export --format asciicast.',
          });
        }
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
        const { speed } = options;
        const unreadable = await replay(eventsOf(bytes), output.stdout, await shownBy(context, options), {
          ...(speed === undefined ? {} : { speed }),
          // Whatever it drew has to be undone when the viewer has seen enough.
          ...(options.raw ? { signal: context.stopSignal() } : {}),
        });
        return unreadable === 0 ? undefined : 'failure';
      }),
    );
}

async function shownBy({ output }: Context, { raw, unit, input }: Options): Promise<Shown> {
  if (raw) {
    output.note(
      'What the session wrote draws on this terminal now. Only text, colours and moves of the cursor get through, but text can pretend anything: judge by the transcript, without --raw.',
    );
    const { RawScreen } = await import('../recording/raw-screen.ts');
    return new RawScreen(unit);
  }
  const { Transcript } = await import('../recording/transcript.ts');
  return new Transcript(output.paint, {
    ...(unit === undefined ? {} : { unit }),
    ...(input ? { typed: true } : {}),
  });
}
