/**
 * Turns proofs into principals: JWTs of configured issuers, and access credentials once a connector has checked their
 * secret. Every refusal looks the same from outside; the reason goes to the log and to `refused`. What a principal may
 * do is none of its business.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Identity, ScramVerifier } from '@sluice/core/contract/identity.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { behind, type Principal } from '@sluice/core/domain/principal.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import { type FetchJson, fetchJson } from './bounded-fetch.ts';
import { principalOf } from './claims.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import type { LookedAhead } from './looked-ahead.ts';
import { Refusal, type RefusalReason, refused } from './refusal.ts';
import { type PrincipalsSeen, seenLately } from './seen-lately.ts';
import { type TrustedIssuer, verifyToken } from './token.ts';

/** The part of access credentials that logins need. */
export interface CredentialLogin {
  isCredentialId(user: string): boolean;
  verifier(id: string): Promise<ScramVerifier>;
  /** Whose it seems to be; undefined where nothing was found out about it lately. */
  holder(id: string): Promise<Principal | undefined>;
  proves(id: string, secret: Redacted): Promise<boolean>;
  /** Resolves with undefined when the credential is not good (any more, for this target). */
  redeem(id: string, target: string): Promise<Principal | undefined>;
}

/** Who was stopped by an administrator. */
export interface DisabledPrincipals {
  /** Which of these ids are disabled. */
  disabledAmong(principalIds: readonly string[]): Promise<readonly string[]>;
}

/** `disabled` is undefined where the store did not say. */
export interface DisabledBehind {
  readonly ids: readonly string[];
  readonly disabled: readonly string[] | undefined;
}

export interface IdentityParts {
  readonly issuers: readonly IssuerSettings[];
  readonly credentials: CredentialLogin;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly principalsSeen?: PrincipalsSeen;
  readonly disabled?: DisabledPrincipals;
  /** For whom of those behind an access credential are disabled, by its id. */
  readonly ahead?: LookedAhead<Promise<DisabledBehind>>;
  /** Told about each refusal, for the audit trail. `detail` holds no secret. */
  refused?(reason: RefusalReason, detail: string): void;
  /** Absent: the network. */
  readonly fetchJson?: FetchJson;
}

export interface RunningIdentity extends Identity {
  /** Fetches the issuers' keys ahead of the first login. Never rejects; the log names issuers that can't be reached. */
  preload(): Promise<void>;
}

export function createIdentity(parts: IdentityParts): RunningIdentity {
  const keys = new Map(parts.issuers.map((settings) => [settings.issuer, keysOf(settings, parts)]));
  const issuers: ReadonlyMap<string, TrustedIssuer> = new Map(
    parts.issuers.flatMap((settings) => {
      const found = keys.get(settings.issuer);
      return found ? [[settings.issuer, { settings, keys: found }] as const] : [];
    }),
  );

  const principalsSeen = parts.principalsSeen && seenLately(parts.principalsSeen, parts.clock);

  /** While the client proves that it holds the secret, which takes it longer than this takes the store. */
  function lookAhead(id: string): void {
    const { ahead, credentials, disabled } = parts;
    ahead?.keep(id, disabledBehindHolder(credentials.holder(id), disabled));
  }

  async function disabledBehind(principal: Principal, credential: string | undefined): Promise<readonly string[]> {
    const ids = behind(principal);
    const ahead = credential === undefined ? undefined : await parts.ahead?.take(credential);
    if (ahead?.disabled && isDeepStrictEqual(ahead.ids, ids)) return ahead.disabled;
    return (await parts.disabled?.disabledAmong(ids)) ?? [];
  }

  async function admit(principal: Principal, credential?: string): Promise<Principal> {
    const disabled = await disabledBehind(principal, credential);
    if (disabled.length > 0) throw new Refusal('disabled', `${disabled.join(', ')}: disabled by an administrator`);
    return principal;
  }

  /** Makes every refusal the same, and keeps what is no refusal (a store that is down) apart from it. */
  async function uniform(work: () => Promise<Principal>): Promise<Principal> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal) {
        parts.log.info({ reason: error.reason, detail: error.message }, 'a login was refused');
        parts.refused?.(error.reason, error.message);
        throw refused(error);
      }
      parts.log.error({ err: error }, 'a login could not be judged, and is refused');
      throw new CoreError('internal', 'gateway', 'The gateway cannot check logins right now. Try again later.', {
        cause: error,
      });
    }
  }

  return {
    bearer: (token) =>
      uniform(async () => {
        const { claims, issuer } = await verifyToken(token.reveal(), issuers, parts.clock);
        const principal = await admit(principalOf(claims, issuer));
        await principalsSeen?.seen(principal);
        return principal;
      }),
    async scramVerifier(id) {
      const verifier = await parts.credentials.verifier(id);
      lookAhead(id);
      return verifier;
    },
    proves: (id, secret) => parts.credentials.proves(id, secret),
    redeem: (id, target) =>
      uniform(async () => {
        const principal = await parts.credentials.redeem(id, target);
        if (!principal) {
          throw new Refusal('access_credential', 'expired, revoked, used up, unknown or meant for another target');
        }
        return admit(principal, id);
      }),
    isCredentialId: (user) => parts.credentials.isCredentialId(user),
    async preload() {
      await Promise.all([...keys.values()].map((one) => one.preload()));
    },
  };
}

/** Never rejects: whoever logs in has the store asked again, and is told what is wrong with it. */
async function disabledBehindHolder(
  holder: Promise<Principal | undefined>,
  among: DisabledPrincipals | undefined,
): Promise<DisabledBehind> {
  const known = await holder;
  if (!known) return { ids: [], disabled: undefined };
  const ids = behind(known);
  const disabled = await among?.disabledAmong(ids).catch(() => undefined);
  return { ids, disabled };
}

function keysOf(settings: IssuerSettings, parts: IdentityParts): IssuerKeys {
  return new IssuerKeys(settings, { clock: parts.clock, log: parts.log, fetchJson: parts.fetchJson ?? fetchJson });
}
