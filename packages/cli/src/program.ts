/**
 * The `sluice` command line as commander sees it: every command, its options and its help. What a command does is in
 * its own file; how it ends is decided in main.ts.
 */
import { Command, type OutputConfiguration } from 'commander';
import { registerAccess } from './commands/access.ts';
import { registerAudit } from './commands/audit.ts';
import { registerCheck } from './commands/check.ts';
import { registerDemo } from './commands/demo.ts';
import { registerPolicy } from './commands/policy.ts';
import { registerRequests } from './commands/requests.ts';
import { registerSessions } from './commands/sessions.ts';
import { registerStart } from './commands/start.ts';
import { registerTour } from './commands/tour.ts';
import { defaultApi, type Runner } from './context.ts';
import { exitCodes } from './exit-code.ts';

export function buildProgram(runner: Runner, version: string, streams: OutputConfiguration): Command {
  const program = new Command('sluice');
  // Before any subcommand: they take these settings over when they are made.
  program.exitOverride().configureOutput(streams).configureHelp({ showGlobalOptions: true });
  program
    .description('Access gateway for AI agents, engineers and services')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'answer with JSON on standard output, errors with JSON on standard error')
    .option('--api <url>', `address of the gateway's API (default: SLUICE_API, else ${defaultApi})`)
    .option('--token-file <file>', 'file with the token to authenticate with (default: the token in SLUICE_TOKEN)')
    .addHelpText(
      'after',
      `\n${exitText()}\n\nExamples:\n  $ sluice demo\n  $ sluice requests ls --state pending\n  $ sluice help requests`,
    );
  registerStart(program, runner);
  registerCheck(program, runner);
  registerDemo(program, runner);
  registerTour(program, runner);
  registerAccess(program, runner);
  registerRequests(program, runner);
  registerSessions(program, runner);
  registerAudit(program, runner);
  registerPolicy(program, runner);
  return program;
}

export function exitText(): string {
  return ['Exit codes:', ...Object.values(exitCodes).map(({ code, doc }) => `  ${code}  ${doc}`)].join('\n');
}
