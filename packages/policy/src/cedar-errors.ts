import type { DetailedError, ValidationError } from '@cedar-policy/cedar-wasm/nodejs';
import { type PolicyError, policyError } from './error.ts';
import type { ParsedPolicy } from './policy-set.ts';
import type { Piece } from './source/pieces.ts';

/** Cedar's complaint about one piece of text, placed in its file. */
export function located(piece: Piece, error: DetailedError): PolicyError {
  const [label] = error.sourceLocations ?? [];
  const wanted = label?.label ? `Here belongs: ${label.label.replace(/^expected /, '')}.` : '';
  const help = error.help ? sentence(error.help) : wanted;
  return policyError(piece.path, piece.placeOfByte(label?.start ?? 0), message(error), help);
}

function message(error: DetailedError): string {
  return error.message
    .replace(/^failed to parse (?:policy|template)(?: with id `[^`]*`)? from string: /, '')
    .replace(/^for policy `[^`]*`, /, '');
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}

/**
 * The validator repeats itself once for every action a policy covers, and calls a policy that it found wrong
 * impossible as well: one error per place is enough.
 */
export function validationErrors(
  policies: ReadonlyMap<string, ParsedPolicy>,
  found: readonly ValidationError[],
): PolicyError[] {
  const byPlace = new Map<string, { error: PolicyError; more: number }>();
  for (const { policyId, error } of found) {
    const policy = policies.get(policyId);
    if (!policy) continue;
    const at = located(policy.piece, error);
    const key = `${at.path}:${at.line}:${at.column}`;
    const known = byPlace.get(key);
    if (known) known.more++;
    else byPlace.set(key, { error: at, more: 0 });
  }
  return [...byPlace.values()].map(({ error, more }) =>
    more === 0 ? error : { ...error, message: `${error.message} (and ${more} more like it)` },
  );
}

/** Scripts may legitimately be mixed in the names of groups and tables. Any other warning stops the load. */
const harmless =
  /contains mixed scripts|contains characters that fall outside of the General Security Profile|confusable/;
const cannotApply = /policy is impossible|unable to find an applicable action/;

export function warningErrors(
  policies: ReadonlyMap<string, ParsedPolicy>,
  warnings: readonly ValidationError[],
  wrong: ReadonlySet<string>,
): { errors: PolicyError[]; notices: string[] } {
  const errors: PolicyError[] = [];
  const notices: string[] = [];
  const told = new Set<string>();
  for (const { policyId, error } of warnings) {
    const policy = policies.get(policyId);
    if (!policy) continue;
    if (harmless.test(error.message)) {
      notices.push(`${policy.path}:${policy.at.line}: policy "${policyId}": ${message(error)}.`);
    } else if (!cannotApply.test(error.message)) {
      errors.push(located(policy.piece, error));
    } else if (!wrong.has(policyId) && !told.has(policyId)) {
      told.add(policyId);
      errors.push(
        policyError(
          policy.path,
          policy.at,
          `policy "${policyId}" can never apply`,
          'No action in its scope can have such a principal and resource, or its condition is always false.',
        ),
      );
    }
  }
  return { errors, notices };
}
