import type { DryRunRequest, DryRunResult } from '@sluice/api/schema/policy.ts';
import { principalKinds } from '@sluice/core/domain/principal.ts';
import { type Command, Option } from 'commander';
import type { Runner } from '../context.ts';
import { explanationLines } from './explanation-text.ts';

interface ExplainOptions {
  readonly kind?: (typeof principalKinds)[number];
  readonly principal?: string;
  readonly group: string[];
  readonly owner?: string;
}

export function registerExplain(policy: Command, runner: Runner): void {
  policy
    .command('explain')
    .argument('<target>', 'name of the target')
    .argument('<statement>', 'the statement in the protocol of the target')
    .description('say what policy would decide about a statement and why; nothing is sent to the target')
    .option('--principal <id>', 'suppose this principal (needs gateway:manage on the target)')
    .addOption(new Option('--kind <kind>', 'its kind (default: user)').choices(principalKinds))
    .option('--group <name>', 'a group it is in; may be repeated', collect, [])
    .option('--owner <id>', 'the user who answers for it')
    .addHelpText(
      'after',
      `
Examples:
  $ sluice policy explain shop "delete from orders"
  $ sluice policy explain shop "select * from customers" --principal x#bot --kind agent --group react-agents`,
    )
    .action(
      runner.action<ExplainOptions>(async ({ client, output }, [target = '', statement = ''], options) => {
        const result: DryRunResult = await client().dryRun({ target, statement, ...supposed(options) });
        output.answer(result, () => explanationLines(result, output.paint));
        return undefined;
      }),
    );
}

function supposed({ principal, kind, group, owner }: ExplainOptions): Pick<DryRunRequest, 'principal'> {
  if (principal === undefined) return {};
  return {
    principal: {
      kind: kind ?? 'user',
      id: principal,
      groups: group,
      ...(owner === undefined ? {} : { owner: { kind: 'user', id: owner } }),
    },
  };
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
