import {
  type Principal,
  type PrincipalKind,
  type PrincipalRef,
  principalId,
  principalKinds,
} from '@sluice/core/domain/principal.ts';
import type { JWTPayload } from 'jose';
import type { IssuerSettings } from './issuer-settings.ts';
import { Refusal } from './refusal.ts';
import { skew } from './token.ts';

const maxGroups = 512;
const maxName = 256;
const maxChain = 8;
const maxDisplayName = 128;
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

/**
 * Turns verified claims into a principal. Whatever has another shape than expected is refused, not ignored: a group or
 * an owner that is lost could lift a `forbid`. Throws a Refusal.
 */
export function principalOf(claims: JWTPayload, settings: IssuerSettings): Principal {
  const { issuer } = settings;
  const subject = nameOf(claims.sub, 'sub', 'claims');
  const id = principalId(issuer, subject);
  const chain = chainOf(claims['act'], settings);
  const ownKind = kindOf(claims, settings, settings.defaultKind);
  const kind = chain[0]?.kind ?? ownKind;
  const owner = ownerOf(claims, settings, { kind: ownKind, id }, kind);
  return {
    kind,
    id,
    issuer,
    subject,
    displayName: displayNameOf([claims['name'], claims['preferred_username'], claims['email']], subject),
    groups: groupsOf(claims, settings),
    ...(owner === undefined ? {} : { owner }),
    chain,
    // The same tolerance as for the login itself, or a session could end at once that was just let in.
    expiresAt: ((claims.exp ?? 0) + skew) * 1000,
  };
}

function kindOf(claims: object, settings: IssuerSettings, absent: PrincipalKind): PrincipalKind {
  const value = claimAt(claims, settings.kindClaim);
  if (value === undefined) return absent;
  const kind = principalKinds.find((known) => known === value);
  if (!kind) throw new Refusal('kind', `the claim ${settings.kindClaim} is none of ${principalKinds.join(', ')}`);
  return kind;
}

function groupsOf(claims: JWTPayload, settings: IssuerSettings): readonly string[] {
  const claim = settings.groupsClaim;
  // OpenID Connect Core section 5.6.2: the issuer keeps the groups elsewhere because there are too many for the token.
  const elsewhere = claimAt(claims, '_claim_names');
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, claim)) {
    throw new Refusal('groups', `the issuer left ${claim} out of the token and refers to another place`);
  }
  const value = claimAt(claims, claim);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refusal('groups', `the claim ${claim} is no list`);
  if (value.length > maxGroups) throw new Refusal('groups', `the claim ${claim} has more than ${maxGroups} entries`);
  const names = value.map((name: unknown) => nameOf(name, claim, 'groups'));
  return [...new Set(names.map((name) => `${settings.groupsPrefix ?? ''}${name}`))].sort();
}

/** Who answers for an agent: the claim, or else the user on whose behalf it acts (RFC 8693 section 4.1). */
function ownerOf(
  claims: JWTPayload,
  settings: IssuerSettings,
  self: PrincipalRef,
  kind: PrincipalKind,
): PrincipalRef | undefined {
  const value = settings.ownerClaim === undefined ? undefined : claimAt(claims, settings.ownerClaim);
  const delegator = kind !== 'user' && self.kind === 'user' ? self : undefined;
  if (value === undefined || kind === 'user') return delegator;
  const subject = nameOf(value, settings.ownerClaim ?? '', 'claims');
  const owner = { kind: 'user', id: principalId(settings.issuer, subject) } as const;
  if (owner.id === self.id && !delegator) throw new Refusal('claims', 'the token names its own subject as the owner');
  return owner;
}

/**
 * RFC 8693 section 4.1: `act` is who really acts, the subject only on whose behalf. So an actor is never taken for the
 * person it acts for: without a kind of its own it is an agent.
 */
function chainOf(act: unknown, settings: IssuerSettings): readonly PrincipalRef[] {
  const chain: PrincipalRef[] = [];
  let current = act;
  while (current !== undefined) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) {
      throw new Refusal('delegation', 'the claim act is no object');
    }
    if (chain.length === maxChain)
      throw new Refusal('delegation', `more than ${maxChain} actors stand behind the token`);
    const issuer = claimAt(current, 'iss');
    if (issuer !== undefined && issuer !== settings.issuer) {
      throw new Refusal('delegation', 'the claim act names a subject of another issuer');
    }
    const subject = nameOf(claimAt(current, 'sub'), 'act.sub', 'delegation');
    chain.push({ kind: kindOf(current, settings, 'agent'), id: principalId(settings.issuer, subject) });
    current = claimAt(current, 'act');
  }
  return chain;
}

/** An own property of that very name, or else a path through objects; never anything inherited. */
export function claimAt(claims: object, path: string): unknown {
  if (Object.hasOwn(claims, path)) return (claims as Record<string, unknown>)[path];
  let current: unknown = claims;
  for (const step of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}

/** What becomes part of an id must look like what it is. */
function nameOf(value: unknown, claim: string, reason: 'claims' | 'groups' | 'delegation'): string {
  if (typeof value !== 'string' || value.trim() === '') throw new Refusal(reason, `the claim ${claim} is no text`);
  if (value.length > maxName) throw new Refusal(reason, `the claim ${claim} is longer than ${maxName} characters`);
  if (invisible.test(value)) throw new Refusal(reason, `the claim ${claim} has control or invisible characters`);
  return value;
}

/** The first candidate with something to see in it, without what could disguise it; at most 128 characters. */
export function displayNameOf(candidates: readonly unknown[], subject: string): string {
  for (const candidate of [...candidates, subject]) {
    if (typeof candidate !== 'string') continue;
    const visible = [...candidate.slice(0, 4096)].filter((character) => !invisible.test(character)).join('');
    const name = [...visible.replace(/\s+/gu, ' ').trim()].slice(0, maxDisplayName).join('');
    if (name !== '') return name;
  }
  return subject;
}
