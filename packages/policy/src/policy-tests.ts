/**
 * Tests of an operator's policies: who does what, and what should come of it. The document is read here; what decides
 * is behind a port, so that the same tests run against files on a desk and against a gateway.
 */
import type { PolicyTest, PolicyTestDocument, PolicyTestEvaluator } from './policy-test.ts';
import { readPolicyTests } from './policy-test-reader.ts';

export interface PolicyTestResult {
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  /** One line for people, `path:line: …`; empty when passed. */
  readonly failure: string;
}

export interface PolicyTestReport {
  readonly path: string;
  readonly passed: number;
  readonly failed: number;
  readonly results: readonly PolicyTestResult[];
}

/** Runs every test of the document; a test that can't be read counts as failed, and so does a document without any. */
export async function runPolicyTests(
  document: PolicyTestDocument,
  evaluator: PolicyTestEvaluator,
): Promise<PolicyTestReport> {
  const { tests, problems } = readPolicyTests(document);
  const results = problems.map(({ line, message }) => failed('', line, `${document.path}:${line}: ${message}`));
  for (const test of tests) results.push(await runOne(document.path, test, evaluator));
  results.sort((a, b) => a.line - b.line);
  const passed = results.filter((result) => result.passed).length;
  return { path: document.path, passed, failed: results.length - passed, results };
}

async function runOne(path: string, test: PolicyTest, evaluator: PolicyTestEvaluator): Promise<PolicyTestResult> {
  const { name, line } = test;
  const fail = (message: string): PolicyTestResult => failed(name, line, `${path}:${line}: ${name}: ${message}`);
  try {
    const { effect, policies, reasons } = await evaluator.decide(test);
    const why = reasons.map((reason) => reason.text).join(' ');
    const by = policies.length > 0 ? ` by ${policies.join(', ')}` : '';
    if (effect !== test.expect) return fail(`expected ${test.expect}, got ${effect}${by}: ${why}`);
    if (test.policies && !sameMembers(test.policies, policies)) {
      return fail(`expected ${effect} by ${test.policies.join(', ') || 'none'}, got it${by || ' by none'}: ${why}`);
    }
    return { name, line, passed: true, failure: '' };
  } catch (error) {
    return fail(`could not be decided: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function failed(name: string, line: number, failure: string): PolicyTestResult {
  return { name, line, passed: false, failure };
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return [...new Set(a)].sort().join('\n') === [...new Set(b)].sort().join('\n');
}
