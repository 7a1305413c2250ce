import type { Digests } from '../contract/crypto.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target } from '../domain/target.ts';
import type { Unit } from '../domain/unit.ts';

/**
 * What an approval binds to, as lower-case hex SHA-256: the principal and all who stand behind it, the target, every
 * action with its text and resources, the parameters, and the state that gives them meaning. Lists are length-framed
 * by JSON, keys are sorted: two different contents never share an encoding.
 */
export function bindingDigest(digests: Digests, principal: Principal, target: Target, unit: Unit): string {
  const content = JSON.stringify([
    'sluice-binding-v1',
    [principal.kind, principal.id, principal.owner?.id ?? null, principal.chain.map((link) => [link.kind, link.id])],
    [target.name, target.connector],
    unit.actions.map((action) => [
      action.verb,
      action.access,
      action.text,
      action.resources.map((resource) => [resource.type, resource.id]),
    ]),
    unit.parameters,
    [...unit.labels].sort(),
    Object.entries(wholeBinding(unit)).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
  return hex(digests.sha256(new TextEncoder().encode(content)));
}

/** All that gives the unit its meaning besides actions and parameters. */
export function wholeBinding({ binding, moreBinding }: Unit): Readonly<Record<string, string>> {
  return moreBinding ? { ...binding, ...moreBinding() } : binding;
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
