import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { registerExplain } from './policy-explain.ts';

export function registerPolicy(program: Command, runner: Runner): void {
  const policy = program.command('policy').description('policies: check them, test them, ask them');
  registerExplain(policy, runner);
}
