import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';

interface Options {
  readonly keys?: string;
}

const demoDirectory = '.sluice/demo';

export function registerAudit(program: Command, runner: Runner): void {
  const audit = program.command('audit').description('evidence: prove that recordings are what they were');
  audit
    .command('verify')
    .argument(
      '[path]',
      `a recording, a directory of them, or a data directory (default: this directory, or ${demoDirectory})`,
    )
    .description('verify recordings offline: only the files and the public keys are needed')
    .option(
      '--keys <file>',
      'the public keys to trust (default: keys/public.json of the data directory around the path)',
    )
    .addHelpText(
      'after',
      `
Exit code 0 only when nothing is wrong. Keys that lie beside the recordings prove no more than the disk they lie on: for a proof
against whoever can write there, give a copy of the public keys that was kept elsewhere.

Examples:
  $ sluice audit verify /var/lib/sluice --keys ./sluice-public.json
  $ sluice audit verify ./ses_….sluice --keys ./sluice-public.json --json`,
    )
    .action(
      runner.action<Options>(async ({ output }, [path], { keys }) => {
        const [{ verifyPath }, { verifyLines }] = await Promise.all([
          import('../recording/verify-path.ts'),
          import('../recording/verify-text.ts'),
        ]);
        const report = await verifyPath(path ?? usualPath(), keys);
        output.answer(report, () => verifyLines(report, output.paint));
        return report.ok ? undefined : 'failure';
      }),
    );
}

function usualPath(): string {
  return !existsSync(join('keys', 'public.json')) && existsSync(demoDirectory) ? demoDirectory : '.';
}
