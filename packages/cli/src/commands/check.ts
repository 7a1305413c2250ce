import type { ConfigProblem } from '@sluice/server/config/problem.ts';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { visible } from '../terminal/visible.ts';
import { type ConfigOption, withConfig } from './config-file.ts';
import { type PolicyFindings, policyFindings, policyLines } from './policy-check.ts';

export function registerCheck(program: Command, runner: Runner): void {
  withConfig(
    program.command('check').description('say what is wrong with a configuration and its policies; start nothing'),
  )
    .addHelpText(
      'after',
      '\nExit code 0 when a gateway would start with it; warnings alone do not change that.\n\nExample:\n  $ sluice check -c sluice.yaml',
    )
    .action(
      runner.action<ConfigOption>(async ({ output }, _args, options) => {
        const [{ checkConfig, loadConfig }, { knownConnectors }] = await Promise.all([
          import('@sluice/server/config/load.ts'),
          import('@sluice/server/gateway-connectors.ts'),
        ]);
        const problems = checkConfig(options.config, { connectors: knownConnectors });
        const broken = problems.some((problem) => problem.severity === 'error');
        // What the policies are is only known from a configuration that is right.
        const policies = broken
          ? undefined
          : await policyFindings(loadConfig(options.config, { connectors: knownConnectors }));
        const ok = !broken && (policies?.ok ?? false);
        output.answer({ ok, problems, ...(policies ? { policies } : {}) }, () =>
          lines(problems, policies, ok, options.config, output.paint),
        );
        return ok ? undefined : 'failure';
      }),
    );
}

type Paint = (text: string) => string;

function lines(
  problems: readonly ConfigProblem[],
  policies: PolicyFindings | undefined,
  ok: boolean,
  file: string,
  paint: { readonly red: Paint; readonly yellow: Paint; readonly green: Paint },
): string[] {
  const found = problems.map(({ file: where, line, column, severity, path, message, nearest }) => {
    const meant = nearest === undefined ? '' : ` (did you mean ${visible(nearest)}?)`;
    const at = path === '' ? '' : `${visible(path)}: `;
    const kind = severity === 'error' ? paint.red('error') : paint.yellow('warning');
    return `${visible(where)}:${line}:${column}: ${kind}: ${at}${visible(message)}${meant}`;
  });
  return [
    ...found,
    ...(policies ? policyLines(policies, paint) : []),
    ok ? paint.green(`${visible(file)} is right.`) : `${visible(file)} is not right.`,
  ];
}
