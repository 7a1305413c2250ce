import type { Question } from '@sluice/core/contract/policy.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import { contextReads, type Entries, scopeActions } from './ast.ts';
import { isContextMap, mapEntries } from './maps.ts';
import type { LoadedPolicy } from './policy-set.ts';
import type { PolicySchema, VerbSchema } from './schema.ts';
import { type FactsPart, type SessionAttribute, sessionAttributes } from './session-context.ts';

/** Which context a decision about a verb can depend on. */
export interface VerbReads {
  /** False when it can depend on the very moment. */
  readonly cacheable: boolean;
  readonly session: readonly SessionAttribute[];
  /** Parts of the facts that those are read from. */
  readonly facts: ReadonlySet<FactsPart>;
  /** By name, with the entries that are read where the attribute is a map. */
  readonly action: ReadonlyMap<string, Entries>;
}

/** What the policies that can apply to each verb read; of a policy that uses the context whole, everything. */
export function readsByVerb(policies: readonly LoadedPolicy[], schema: PolicySchema): ReadonlyMap<string, VerbReads> {
  return new Map([...schema.verbs.values()].map((verb) => [verb.verb, readsOf(policies, verb)]));
}

function readsOf(policies: readonly LoadedPolicy[], verb: VerbSchema): VerbReads {
  const reads = policies.filter((policy) => speaksOf(policy, verb)).map((policy) => contextReads(policy.json));
  const isRead = (name: string): boolean => reads.some((read) => read === 'all' || read.has(name));
  const all = sessionAttributes.filter((attribute) => isRead(attribute.name));
  // The target is part of every key anyway.
  const session = all.filter((attribute) => attribute.from !== 'target');
  return {
    cacheable: !session.some((attribute) => attribute.fleeting),
    session,
    facts: new Set(session.map((attribute) => attribute.from)),
    action: new Map(
      Object.keys(verb.context)
        .filter(isRead)
        .sort()
        .map((name) => [name, entriesOf(name, reads)]),
    ),
  };
}

function entriesOf(name: string, reads: readonly (ReadonlyMap<string, Entries> | 'all')[]): Entries {
  const names = new Set<string>();
  for (const read of reads) {
    const entries = read === 'all' ? read : (read.get(name) ?? []);
    if (entries === 'all') return 'all';
    for (const entry of entries) names.add(entry);
  }
  return names;
}

function speaksOf(policy: LoadedPolicy, verb: VerbSchema): boolean {
  const named = scopeActions(policy.json);
  return named === undefined || named.some((id) => id === verb.verb || id === verb.access);
}

/** Equal keys mean: no policy of the set can tell the questions apart. */
export function cacheKey({ principal, target, action, facts }: Question, reads: VerbReads): string {
  const { kind, id, owner, groups, chain } = principal;
  const parts: unknown[] = [kind, id, groups, owner?.kind, owner?.id, target.name, target.tags, action.verb];
  parts.push(chain.length === 0 ? 0 : chain.map((link) => [link.kind, link.id]));
  for (const resource of action.resources) pushResource(parts, resource);
  for (const attribute of reads.session) parts.push(attribute.value(target, facts));
  for (const [name, entries] of reads.action) {
    const value = action.context[name];
    parts.push(value !== undefined && isContextMap(value) ? mapEntries(value, entries) : value);
  }
  return JSON.stringify(parts);
}

function pushResource(parts: unknown[], resource: Resource): void {
  parts.push(boundary);
  for (let link: Resource | undefined = resource; link; link = link.parent) parts.push(link.type, link.id);
}

/** Marks where one resource ends: no type or id is a number. */
const boundary = 0;
