import { CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { Runner } from './context.ts';
import type { Env } from './env.ts';
import { exitCodes } from './exit-code.ts';
import { failureOf } from './failure.ts';
import { buildProgram } from './program.ts';
import { Output, type Streams } from './terminal/output.ts';

/** Runs one command line (without the program's name) and resolves with the exit code. Never rejects. */
export async function run(
  args: readonly string[],
  options: { readonly streams: Streams; readonly env: Env; readonly version: string; stopSignal(): AbortSignal },
): Promise<number> {
  const { streams, env, version } = options;
  // Known before the command line is understood, so that a mistake in it is reported the same way.
  const json = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined).includes('--json');
  const output = new Output(streams, { json, noColor: env.noColor });
  const runner = new Runner(streams, env, options.stopSignal);
  const program = buildProgram(runner, version, {
    writeOut: (text) => void streams.stdout.write(text),
    // Help that was not asked for, on a wrong command line; with --json the error itself says enough.
    writeErr: (text) => void (json ? undefined : streams.stderr.write(text)),
    outputError: () => undefined,
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes[runner.exit].code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok.code;
      if (error.code !== 'commander.help') output.fail(failureOf(usageError(error, args)));
      return exitCodes.usage.code;
    }
    const failure = failureOf(error);
    output.fail(failure);
    return exitCodes[failure.exit].code;
  }
}

function usageError(error: CommanderError, args: readonly string[]): CliError {
  const command = args.filter((one) => /^[a-z][a-z-]*$/.test(one)).slice(0, 2);
  const [message = '', ...suggestions] = error.message.replace(/^error: /, '').split('\n');
  const meant = suggestions.map((line) => line.trim().replace(/^\(|\)$/g, '')).filter((line) => line !== '');
  return new CliError('usage', [message, ...meant].join('\n'), {
    hint: `See sluice ${[...command.slice(0, 1), '--help'].join(' ')}`,
  });
}
