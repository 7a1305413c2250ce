import { type HoldDefaults, holdDefaults } from '@sluice/policy/annotations.ts';
import type { Config } from './config/config.ts';

/** What a hold is held to where its policy says nothing. Wherever policies are compiled, it is by these. */
export function holdDefaultsOf({ approvals }: Pick<Config, 'approvals'>): HoldDefaults {
  return { ...holdDefaults, grantTtl: approvals.grantTtl, timeout: approvals.timeout };
}
