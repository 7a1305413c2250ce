/** Questions that nobody asked yet, for tests and explanations: put together from what people write down. */
import type { SessionFacts } from '@sluice/core/contract/policy.ts';
import type { Action } from '@sluice/core/domain/action.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { type Resource, targetResource } from '@sluice/core/domain/resource.ts';
import { maxDepth } from './entities.ts';
import type { PolicyTest, PolicyTestDeed, PolicyTestPrincipal, PolicyTestSession } from './policy-test.ts';
import type { PolicySchema } from './schema.ts';

/** The id is `<issuer>#<subject>`; one without issuer is a subject of no issuer. It proves nothing and never expires. */
export function supposedPrincipal({ kind, id, groups, owner }: PolicyTestPrincipal): Principal {
  const hash = id.indexOf('#');
  return {
    kind,
    id,
    issuer: hash < 0 ? '' : id.slice(0, hash),
    subject: hash < 0 ? id : id.slice(hash + 1),
    displayName: id,
    groups,
    ...(owner === undefined ? {} : { owner: { kind: 'user', id: owner } }),
    chain: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
  };
}

/** `now` stands in where the test names no time. */
export function supposedFacts(session: PolicyTestSession, now: number): SessionFacts {
  const { run, intent } = session;
  const claims = { ...(run === undefined ? {} : { run }), ...(intent === undefined ? {} : { intent }) };
  return {
    client: {
      address: session.clientAddress ?? '127.0.0.1',
      secure: session.secure ?? true,
      ...(session.application === undefined ? {} : { application: session.application }),
    },
    ...(Object.keys(claims).length === 0 ? {} : { run: claims }),
    labelsSeen: session.labelsSeen ?? [],
    now: session.at ?? now,
  };
}

/** Throws, with a message for people, when no connector declares such an action. */
export function supposedAction(
  deed: Extract<PolicyTestDeed, { kind: 'action' }>,
  target: PolicyTest['target'],
  schema: PolicySchema,
): Action {
  const verb = schema.verbs.get(deed.verb);
  if (!verb) throw new Error(`no connector declares the verb "${deed.verb}"`);
  const missing = Object.keys(verb.context).filter((name) => !Object.hasOwn(deed.context, name));
  if (missing.length > 0) throw new Error(`the context of ${deed.verb} needs ${missing.join(', ')} as well`);
  const resources = deed.resources.map((each) => resourceOf(each, schema));
  return {
    verb: deed.verb,
    access: verb.access ?? (deed.verb === 'connect' ? 'connect' : 'admin'),
    resources: resources.length > 0 ? resources : [targetResource(target)],
    text: deed.verb,
    context: deed.context,
  };
}

/** Reads `Table::"shop/public/customers"`. */
function resourceOf(text: string, schema: PolicySchema): Resource {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)::"([^"]+)"$/.exec(text);
  const [type, id] = [match?.[1], match?.[2]];
  if (type === undefined || id === undefined) throw new Error(`${text} is not a resource such as Target::"shop"`);
  if (type === 'Label') return { type, id };
  const found = placed(type, id, schema);
  if (!found) throw new Error(`no connector has a ${type} with an id like "${id}"`);
  return found;
}

/**
 * Finds parents that fit the id, nearest first: as deep as there are types for its segments. `without`: what was found to
 * have none.
 */
function placed(type: string, id: string, schema: PolicySchema, without = new Set<string>()): Resource | undefined {
  const slash = id.indexOf('/');
  if (type === 'Target') return slash < 0 ? targetResource(id) : undefined;
  const segments = id.split('/').length - 1;
  const key = `${type} ${segments}`;
  if (segments === 0 || segments > maxDepth || without.has(key)) return undefined;
  const above = schema.parents.get(type) ?? new Set();
  for (const each of above) {
    const parent = each === 'Target' ? undefined : placed(each, id.slice(0, id.lastIndexOf('/')), schema, without);
    if (parent) return { type, id, parent };
  }
  if (above.has('Target')) {
    return { type, id, parent: rootOf(type, id.slice(0, slash), id.slice(slash + 1), schema.roots.get(type) ?? []) };
  }
  without.add(key);
  return undefined;
}

function rootOf(type: string, target: string, name: string, roots: readonly string[]): Resource {
  const [first] = roots;
  const parent = targetResource(target);
  return first === undefined || roots.includes(name) ? parent : { type, id: `${target}/${first}`, parent };
}
