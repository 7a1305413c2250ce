/**
 * Access credentials: short-lived user and secret pairs for clients that can't send a token. Each is for one principal
 * and one target, never outlives the identity it came from, and is kept as a verifier only. Whether the principal may
 * reach the target is not asked here: policy judges that at each connect.
 */
import { randomBytes } from 'node:crypto';
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Digests, Ids } from '@sluice/core/contract/crypto.ts';
import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { LookedAhead } from '../identity/looked-ahead.ts';
import type { AccessCredentialRow, AccessCredentialRows } from '../store/access-credential-rows.ts';
import { CredentialError } from './credential-error.ts';
import { isCredentialId } from './credential-id.ts';
import { Kept } from './kept.ts';
import { saltFor, satisfies, unsatisfiable, verifierFor } from './scram-verifier.ts';

export interface IssuedCredential {
  readonly id: string;
  /** Shown once, kept nowhere. */
  readonly secret: Redacted;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** What may be shown of a credential. Times are Unix milliseconds. */
export interface CredentialRecord {
  readonly id: string;
  /** Id of the principal it was issued to. */
  readonly principal: string;
  readonly target: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usesLeft?: number;
  readonly revokedAt?: number;
}

export interface CredentialWish {
  readonly principal: Principal;
  readonly target: string;
  /** Absent: the configured default. */
  readonly ttlMs?: number;
  /** Absent: any number. */
  readonly uses?: number;
}

export interface AccessCredentials {
  /** Rejects with a CredentialError for terms it can't have. */
  issue(wish: CredentialWish): Promise<IssuedCredential>;
  /** Newest first; also expired and revoked ones, for a while. */
  list(principalId: string): Promise<readonly CredentialRecord[]>;
  find(id: string): Promise<CredentialRecord | undefined>;
  /** Ends it everywhere; sessions opened with it are ended by whoever watches the store's revocations. */
  revoke(id: string, by: Principal): Promise<void>;
  isCredentialId(user: string): boolean;
  /** Always answers, for an unknown id with a verifier that nothing satisfies. */
  verifier(id: string): Promise<ScramVerifier>;
  /** Whose it is, where the verifier was just asked for and it is not redeemed yet. */
  holder(id: string): Promise<Principal | undefined>;
  /** Whether the secret is the credential's; as slow for an unknown id. */
  proves(id: string, secret: Redacted): Promise<boolean>;
  /** Takes one use. Undefined when it is unknown, expired, revoked, used up or for another target. */
  redeem(id: string, target: string): Promise<Principal | undefined>;
}

export interface AccessCredentialParts {
  readonly rows: AccessCredentialRows;
  readonly digests: Pick<Digests, 'keyedHash'>;
  readonly ids: Ids;
  readonly clock: Pick<Clock, 'now'>;
  readonly audit: AuditSink;
  readonly log: Log;
  /** For rows found when a login begins, by their ids. */
  readonly ahead: LookedAhead<Promise<AccessCredentialRow | undefined>>;
  /** Milliseconds. */
  readonly defaultTtl: number;
  readonly maxTtl: number;
}

const prefix = 'sac';
/** As base64url, 32 characters. */
const secretBytes = 24;
const secretForm = /^[A-Za-z0-9_-]{32}$/;
const maxUses = 1_000_000;
/** Against one principal filling the store. */
const maxLive = 100;
/** How long an expired one can still be listed. */
const keptFor = 7 * 24 * 3_600_000;
const sweepEvery = 3_600_000;
/** Of credentials that logged in. */
const mostVerifiers = 1_000;

export function createAccessCredentials(parts: AccessCredentialParts): AccessCredentials {
  const { rows, clock, audit } = parts;
  let sweptAt = clock.now();
  /** That of an id is always the same, so that a client need not wait for what was found before. */
  const verifiers = new Kept<ScramVerifier>(mostVerifiers);

  /** Clearing up rides along with issuing: where nothing is issued, nothing piles up. */
  function sweep(now: number): void {
    if (now - sweptAt < sweepEvery) return;
    sweptAt = now;
    rows.removeExpired(now - keptFor).catch((error: unknown) => {
      parts.log.warn({ err: error }, 'expired access credentials could not be removed; this is tried again in an hour');
    });
  }

  async function verifierOf(id: string): Promise<ScramVerifier> {
    const nobody = unsatisfiable(id, parts.digests);
    if (!isCredentialId(id)) return nobody;
    const row = lookUp(id);
    const known = verifiers.get(id);
    if (known) return known;
    return (await row)?.verifier ?? nobody;
  }

  /** Begins what `spend` goes on with. Never rejects. */
  function lookUp(id: string): Promise<AccessCredentialRow | undefined> {
    const found = rows.find(id).then(
      (row) => {
        if (row) verifiers.set(id, row.verifier);
        return row;
      },
      (error: unknown) => {
        parts.log.error({ err: error }, 'access credentials can’t be looked up: logins with them are refused');
        return undefined;
      },
    );
    parts.ahead.keep(id, found);
    return found;
  }

  /** One use, from what was found when the login began: where uses are not counted, there is nothing to write down. */
  async function spend(id: string, target: string): Promise<AccessCredentialRow | undefined> {
    const found = await parts.ahead.take(id);
    const now = clock.now();
    const countless = found?.usesLeft === undefined && found?.target === target && isLive(found, now);
    return countless ? found : rows.spend(id, target, now);
  }

  return {
    async issue({ principal, target, ttlMs = parts.defaultTtl, uses }) {
      const now = clock.now();
      checkTerms(ttlMs, uses, parts.maxTtl);
      const expiresAt = Math.min(now + ttlMs, principal.expiresAt);
      if (expiresAt <= now)
        throw new CredentialError('identity_expired', 'The token has expired. Get a fresh one and try again.');
      const live = (await rows.listByPrincipal(principal.id)).filter((row) => isLive(row, now));
      if (live.length >= maxLive) {
        throw new CredentialError(
          'too_many_credentials',
          `There are ${maxLive} access credentials in force for this principal. Revoke some, or let them expire.`,
        );
      }
      const id = parts.ids.next(prefix);
      const secret = randomBytes(secretBytes).toString('base64url');
      const verifier = await verifierFor(secret, saltFor(id, parts.digests));
      // Written first: a credential that nobody could account for must not exist.
      audit.record({ name: 'credential.issued', credential: id, principal: principal.id, target, expiresAt });
      const limited = uses === undefined ? {} : { usesLeft: uses };
      await rows.insert({ id, verifier, principal, target, createdAt: now, expiresAt, ...limited });
      sweep(now);
      return { id, secret: new Redacted(secret), expiresAt };
    },
    async list(principalId) {
      return (await rows.listByPrincipal(principalId)).map(recordOf);
    },
    async find(id) {
      const row = isCredentialId(id) ? await rows.find(id) : undefined;
      return row && recordOf(row);
    },
    async revoke(id, by) {
      // Not held up by the journal: what must end, ends, and a failing journal is reported afterwards.
      if (await rows.revoke(id, clock.now())) audit.record({ name: 'credential.revoked', credential: id, by: by.id });
    },
    isCredentialId,
    verifier: verifierOf,
    holder: async (id) => (await parts.ahead.peek(id))?.principal,
    async proves(id, secret) {
      const proven = await satisfies(secret, await verifierOf(id));
      // RFC 2104 pads a key with zeros, so that NULs at its end go unseen.
      return proven && secretForm.test(secret.reveal());
    },
    async redeem(id, target) {
      if (!isCredentialId(id)) return undefined;
      const row = await spend(id, target);
      if (!row) return undefined;
      audit.record({ name: 'credential.redeemed', credential: id, target });
      return { ...row.principal, expiresAt: Math.min(row.expiresAt, row.principal.expiresAt) };
    },
  };
}

function checkTerms(ttlMs: number, uses: number | undefined, maxTtl: number): void {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1000) {
    throw new CredentialError('invalid_ttl', 'The time to live must be at least one second.');
  }
  if (ttlMs > maxTtl) {
    throw new CredentialError(
      'invalid_ttl',
      `The time to live must be at most ${Math.floor(maxTtl / 1000)} seconds here.`,
    );
  }
  if (uses !== undefined && !(Number.isSafeInteger(uses) && uses >= 1 && uses <= maxUses)) {
    throw new CredentialError('invalid_uses', `The number of uses must be a whole number from 1 to ${maxUses}.`);
  }
}

function isLive(row: AccessCredentialRow, now: number): boolean {
  return row.revokedAt === undefined && row.expiresAt > now && row.usesLeft !== 0;
}

function recordOf(row: AccessCredentialRow): CredentialRecord {
  return {
    id: row.id,
    principal: row.principal.id,
    target: row.target,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    ...(row.usesLeft === undefined ? {} : { usesLeft: row.usesLeft }),
    ...(row.revokedAt === undefined ? {} : { revokedAt: row.revokedAt }),
  };
}
