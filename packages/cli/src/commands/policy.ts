import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { registerPolicyCheck } from './policy-check.ts';
import { registerExplain } from './policy-explain.ts';
import { registerPolicyTest } from './policy-test.ts';

export function registerPolicy(program: Command, runner: Runner): void {
  const policy = program.command('policy').description('policies: check them, test them, ask them');
  registerPolicyCheck(policy, runner);
  registerPolicyTest(policy, runner);
  registerExplain(policy, runner);
}
