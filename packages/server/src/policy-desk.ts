/**
 * The operator's policies without a gateway: checks and tests them as files, with the parts and the order of steps that
 * a gateway would use. It opens no listener, no store and no recording, and lets nobody in; the only thing it may reach
 * is a target's catalog, for tests that are written as statements.
 */
import { connectors } from '@sluice/connectors/index.ts';
import type { Connector, Log } from '@sluice/core/contract/connector.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import { isMasked } from '@sluice/core/masking/sentinel.ts';
import { holdDefaults } from '@sluice/policy/annotations.ts';
import type { PolicyError } from '@sluice/policy/error.ts';
import type { PolicyTestReport } from '@sluice/policy/policy-tests.ts';
import { runPolicyTests } from '@sluice/policy/policy-tests.ts';
import type { Config } from './config/config.ts';
import { processEnvironment } from './config/environment.ts';
import { createSecrets } from './config/secrets.ts';
import { createUpstreamCredentials } from './credentials/upstream-credentials.ts';
import { newKey } from './crypto/connector-keys.ts';
import { noOperations } from './operations/no-operations.ts';
import { openPolicyFiles, type PolicyFiles } from './policy/policy-files.ts';
import { policyTestDocument, policyTestEvaluator } from './policy/policy-tests.ts';
import { memoryPins } from './store/memory-pins.ts';
import { targetDial } from './target-dial.ts';
import { systemClock as clock } from './telemetry/clock.ts';

export interface PolicyCheck {
  readonly hash: string;
  /** Relative to the directory of the configuration. */
  readonly files: readonly string[];
  /** Why these files could not be in force; empty when they could. */
  readonly problems: readonly PolicyError[];
  /** What could be in force but is worth a second look. */
  readonly notices: readonly string[];
}

/** Never rejects for anything that is wrong in the files. */
export async function checkPolicies(config: Config): Promise<PolicyCheck> {
  const policies = await openFiles(config);
  policies.close();
  const { hash, files, problems, notices } = policies.status();
  return { hash, files, problems, notices };
}

/** Runs the tests in `text` against the configured files. Rejects when the files could not be in force. */
export async function testPolicies(config: Config, path: string, text: string): Promise<PolicyTestReport> {
  const document = policyTestDocument(path, text);
  const policies = await openFiles(config);
  const running = new Map<string, Connector>();
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const connectorOf = (target: Target): Connector => {
    const connector = running.get(target.connector);
    if (!connector) throw new Error(`no connector ${target.connector}`);
    return connector;
  };
  try {
    if (policies.status().problems.length > 0) throw new Error('The policies are not right: check them first.');
    const labels = createLabelMap(config.masking.labels);
    const upstream = createUpstreamCredentials(config.targets, createSecrets(processEnvironment()));
    const dialAside = targetDial(targets, upstream);
    for (const { id, create } of connectors) {
      const own = config.targets.filter((target) => target.connector === id);
      // Texts are only looked at: no client comes, and no key outlives this.
      running.set(
        id,
        create({
          targets: own,
          key: newKey,
          pins: memoryPins(),
          operations: noOperations,
          issuers: [],
          clock,
          labels,
          limits: config.limits,
          log: quiet,
          dialAside,
        }),
      );
    }
    const evaluator = policyTestEvaluator({
      clock,
      policies,
      order: { isMasked, discharges: (id) => running.get(id)?.discharges ?? [] },
      target: (name) => targets.get(name),
      interpret: (target, statement) => connectorOf(target).interpret(target.name, statement),
    });
    return await runPolicyTests(document, evaluator);
  } finally {
    policies.close();
    await Promise.all([...running.values()].map((connector) => connector.close()));
  }
}

function openFiles(config: Config): Promise<PolicyFiles> {
  return openPolicyFiles({
    directory: config.dir,
    globs: config.policies,
    declarations: connectors.map(({ declares }) => declares),
    holdDefaults: { ...holdDefaults, grantTtl: config.approvals.grantTtl, timeout: config.approvals.timeout },
    clock,
    log: quiet,
  });
}

/** What would be logged is in the report. */
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
