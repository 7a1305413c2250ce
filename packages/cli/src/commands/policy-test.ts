import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Runner } from '../context.ts';
import { visible } from '../terminal/visible.ts';
import { type ConfigOption, loadConfigFile, withConfig } from './config-file.ts';

export function registerPolicyTest(policy: Command, runner: Runner): void {
  withConfig(
    policy
      .command('test')
      .argument('<file>', 'YAML list of tests: principal, target, statement or action, expected decision')
      .description('run tests of the policies, as files and without a gateway'),
  )
    .addHelpText(
      'after',
      `
A test with a statement reads the catalog of its target, so that it means what it would mean there; a test with an action
needs no target at all.

Example:
  $ sluice policy test -c sluice.yaml policies/tests.yaml`,
    )
    .action(
      runner.action<ConfigOption>(async ({ output }, [file = ''], options) => {
        const config = await loadConfigFile(options.config);
        const { testPolicies } = await import('@sluice/server/policy-desk.ts');
        const report = await testPolicies(config, file, await readText(file));
        output.answer(report, () => [
          ...report.results.map(({ passed, name, failure }) =>
            passed
              ? `${output.paint.green('pass')}  ${visible(name)}`
              : `${output.paint.red('FAIL')}  ${visible(failure)}`,
          ),
          `${report.passed} passed, ${report.failed} failed`,
        ]);
        return report.failed === 0 ? undefined : 'failure';
      }),
    );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError(
      'bad_file',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {
        cause,
      },
    );
  }
}
