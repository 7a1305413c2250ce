/**
 * From the operator's files to a set of policies that may decide: cut, parsed, checked against the schema and against
 * the house's own rules. All of it or nothing: one error and there is no set. It reads no files and keeps no state.
 */
import { createHash } from 'node:crypto';
import { policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';
import type { Declarations } from '@sluice/core/contract/declarations.ts';
import { type HoldDefaults, holdDefaults, readAnnotations } from './annotations.ts';
import { located, validationErrors, warningErrors } from './cedar-errors.ts';
import { type PolicyError, policyError } from './error.ts';
import { lint, notices } from './lint.ts';
import type { LoadedPolicy, ParsedPolicy, PolicySet } from './policy-set.ts';
import { buildSchema, type PolicySchema } from './schema.ts';
import { outgrown } from './source/bounds.ts';
import { cut, type Piece, type PolicyFile, partsOf } from './source/pieces.ts';
import { tokens } from './source/tokens.ts';

export type LoadResult =
  | { readonly ok: true; readonly set: PolicySet }
  /** In the order of files and lines. */
  | { readonly ok: false; readonly errors: readonly PolicyError[] };

/**
 * `declarations` are those of all connectors. No files, or files without a policy, make a set that denies everything.
 * Throws only when the declarations contradict each other.
 */
export function loadPolicies(
  files: readonly PolicyFile[],
  declarations: readonly Declarations[],
  defaults: HoldDefaults = holdDefaults,
): LoadResult {
  const schema = buildSchema(declarations);
  const errors: PolicyError[] = [];
  const parsed = new Map<string, ParsedPolicy>();
  for (const file of files) {
    for (const policy of parseFile(file, defaults, errors)) addUnique(parsed, policy, errors);
  }
  const checked = check(parsed, schema);
  errors.push(...checked.errors);
  if (errors.length > 0) return { ok: false, errors: inOrder(errors, files) };
  const policies = [...parsed.values()].map(({ piece: _, ...policy }): LoadedPolicy => policy);
  const worthALook = [...checked.notices, ...[...parsed.values()].flatMap(notices)];
  return { ok: true, set: { hash: hashOf(policies), policies, schema, notices: worthALook } };
}

function parseFile(file: PolicyFile, defaults: HoldDefaults, errors: PolicyError[]): ParsedPolicy[] {
  const before = errors.length;
  const pieces = cut(file);
  const policies = pieces.flatMap((piece) => parsePiece(piece, defaults, errors) ?? []);
  // Two readers must never see two different files: Cedar, given the whole, has to count what was cut.
  if (errors.length === before && countedByCedar(file.text) !== pieces.length) {
    errors.push(policyError(file.path, { line: 1, column: 1 }, 'the file does not divide into whole policies'));
  }
  return policies;
}

function countedByCedar(text: string): number {
  const parts = policySetTextToParts(text.replace(/^\uFEFF/, ''));
  return parts.type === 'success' ? parts.policies.length + parts.policy_templates.length : -1;
}

function parsePiece(piece: Piece, defaults: HoldDefaults, errors: PolicyError[]): ParsedPolicy | undefined {
  const beyond = outgrown(piece);
  if (beyond) {
    errors.push(policyError(piece.path, piece.place(beyond.token.start), beyond.message, beyond.hint));
    return undefined;
  }
  const answer = policyToJson(piece.cedar);
  if (answer.type === 'failure') {
    for (const error of answer.errors) errors.push(located(piece, error));
    return undefined;
  }
  const { json } = answer;
  const read = readAnnotations(piece, json.effect, json.annotations ?? {}, defaults);
  errors.push(...read.errors);
  if (!read.terms) return undefined;
  return {
    id: read.terms.id,
    effect: json.effect,
    terms: read.terms,
    path: piece.path,
    at: piece.place(0),
    parts: partsOf(piece.text),
    cedar: piece.cedar,
    json,
    piece,
  };
}

function addUnique(parsed: Map<string, ParsedPolicy>, policy: ParsedPolicy, errors: PolicyError[]): void {
  const known = parsed.get(policy.id);
  if (known) {
    const message = `the id "${policy.id}" is taken by the policy at ${known.path}:${known.at.line}`;
    errors.push(policyError(policy.path, policy.at, message, 'Every policy needs an @id of its own.'));
  } else {
    parsed.set(policy.id, policy);
  }
}

function check(
  parsed: ReadonlyMap<string, ParsedPolicy>,
  schema: PolicySchema,
): { errors: PolicyError[]; notices: string[] } {
  // Keyed by id: from one text Cedar would name them policy0, policy1, …
  const staticPolicies = Object.fromEntries([...parsed].map(([id, policy]) => [id, policy.piece.cedar]));
  const answer = validate({
    validationSettings: { mode: 'strict' },
    schema: schema.cedar,
    policies: { staticPolicies },
  });
  if (answer.type === 'failure') {
    const [first] = parsed.values();
    const at = first?.at ?? { line: 1, column: 1 };
    return { errors: answer.errors.map((error) => policyError(first?.path ?? '', at, error.message)), notices: [] };
  }
  const linted = [...parsed.values()].map((policy) => ({ id: policy.id, errors: lint(policy, schema) }));
  const wrong = new Set(answer.validationErrors.map((error) => error.policyId));
  for (const { id, errors } of linted) if (errors.length > 0) wrong.add(id);
  const warned = warningErrors(parsed, answer.validationWarnings, wrong);
  const errors = [
    ...validationErrors(parsed, answer.validationErrors),
    ...linted.flatMap((each) => each.errors),
    ...warned.errors,
  ];
  return { errors, notices: warned.notices };
}

function inOrder(errors: readonly PolicyError[], files: readonly PolicyFile[]): PolicyError[] {
  const rank = new Map(files.map((file, index) => [file.path, index]));
  return [...errors].sort(
    (a, b) => (rank.get(a.path) ?? 0) - (rank.get(b.path) ?? 0) || a.line - b.line || a.column - b.column,
  );
}

/** Over the tokens, so that layout and comments don't matter and every literal counts to the last digit. */
function hashOf(policies: readonly LoadedPolicy[]): string {
  const byId = [...policies].sort((a, b) => (a.id < b.id ? -1 : 1));
  const content = byId.map((policy) => tokens(policy.cedar).map((token) => token.text));
  return createHash('sha256')
    .update(`sluice policy set 1\n${JSON.stringify(content)}`)
    .digest('hex');
}
