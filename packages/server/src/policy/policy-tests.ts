import type { PolicyTest, PolicyTestDocument, PolicyTestEvaluator } from '@sluice/policy/policy-test.ts';
import { supposedAction, supposedFacts, supposedPrincipal } from '@sluice/policy/supposed.ts';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { type DryRunPorts, dryRun } from './dry-run.ts';

/** Reads a file of policy tests. Throws an error for people, with path and line, when it is no YAML. */
export function policyTestDocument(path: string, text: string): PolicyTestDocument {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, version: '1.2', merge: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = counter.linePos(error.pos[0]);
    throw new Error(`${path}:${line}:${col}: ${error.message.split('\n')[0] ?? ''}`);
  }
  return {
    path,
    value: document.toJS({ maxAliasCount: 100 }),
    lineOf(steps) {
      for (let length = steps.length; length >= 0; length--) {
        const node = length === 0 ? document.contents : document.getIn(steps.slice(0, length), true);
        if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
      }
      return 1;
    },
  };
}

/** Decides tests the way the gateway would: a statement goes through the connector and the whole order of steps. */
export function policyTestEvaluator(ports: DryRunPorts): PolicyTestEvaluator {
  return {
    async decide(test: PolicyTest) {
      const { deed } = test;
      const principal = supposedPrincipal(test.principal);
      const facts = supposedFacts(test.session, ports.clock.now());
      if (deed.kind === 'statement') {
        const question = { principal, target: test.target, statement: deed.text, client: facts.client, facts };
        return (await dryRun(ports, question)).decision;
      }
      const target = ports.target(test.target);
      if (!target) throw new Error(`there is no target "${test.target}"`);
      const snapshot = ports.policies.current();
      return snapshot.decide({
        principal,
        target,
        action: supposedAction(deed, target.name, snapshot.set.schema),
        facts,
      });
    },
  };
}
