import type { Config } from '@sluice/server/config/config.ts';
import type { PolicyCheck } from '@sluice/server/policy-desk.ts';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { visible } from '../terminal/visible.ts';
import { type ConfigOption, loadConfigFile, withConfig } from './config-file.ts';

export interface PolicyFindings extends PolicyCheck {
  readonly ok: boolean;
}

type Paint = (text: string) => string;

export function registerPolicyCheck(policy: Command, runner: Runner): void {
  withConfig(policy.command('check').description('validate the policies of a configuration, strictly'))
    .addHelpText('after', '\nExample:\n  $ sluice policy check -c sluice.yaml')
    .action(
      runner.action<ConfigOption>(async ({ output }, _args, options) => {
        const findings = await policyFindings(await loadConfigFile(options.config));
        output.answer(findings, () => policyLines(findings, output.paint));
        return findings.ok ? undefined : 'failure';
      }),
    );
}

export async function policyFindings(config: Config): Promise<PolicyFindings> {
  const { checkPolicies } = await import('@sluice/server/policy-desk.ts');
  const checked = await checkPolicies(config);
  return { ok: checked.problems.length === 0, ...checked };
}

export function policyLines(
  { ok, hash, files, problems, notices }: PolicyFindings,
  { red, yellow, green }: { readonly red: Paint; readonly yellow: Paint; readonly green: Paint },
): string[] {
  const lines = problems.map(({ path, line, column, message, hint }) => {
    const more = hint === '' ? '' : ` (${visible(hint)})`;
    return `${visible(path)}:${line}:${column}: ${red('error')}: ${visible(message)}${more}`;
  });
  for (const notice of notices) lines.push(`${yellow('notice')}: ${visible(notice)}`);
  if (ok && files.length === 0) lines.push(`${yellow('warning')}: no policy file matches: everything would be denied`);
  if (ok)
    lines.push(`policies: ${green('valid')}, ${files.length} ${files.length === 1 ? 'file' : 'files'}, set ${hash}`);
  return lines;
}
