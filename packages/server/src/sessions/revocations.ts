import type { Log } from '@sluice/core/contract/connector.ts';
import { behind } from '@sluice/core/domain/principal.ts';
import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { AccessCredentialRows } from '../store/access-credential-rows.ts';
import type { PrincipalRows } from '../store/principal-rows.ts';
import type { LiveSessions } from './live-sessions.ts';

/** Ends sessions whose access credential was revoked, or whose principal or anybody behind it was disabled. */
export class Revocations {
  readonly #live: LiveSessions;
  readonly #credentials: AccessCredentialRows;
  readonly #principals: PrincipalRows;
  readonly #log: Log;

  constructor(live: LiveSessions, credentials: AccessCredentialRows, principals: PrincipalRows, log: Log) {
    this.#live = live;
    this.#credentials = credentials;
    this.#principals = principals;
    this.#log = log;
  }

  /** Resolves with the functions that end it. */
  async watch(): Promise<(() => Promise<void>)[]> {
    return [
      await this.#credentials.onRevoked((id) => void this.#endRevoked(id)),
      await this.#principals.onDisabled((id) => void this.#endDisabled(id)),
    ];
  }

  /** What was revoked between the login and now was told to nobody. */
  endIfRevoked({ id, principal, credential }: SessionInfo, end: (reason: EndReason, message: string) => void): void {
    Promise.all([
      credential === undefined ? undefined : this.#endRevoked(credential),
      this.#principals.disabledAmong(behind(principal)).then((ids) => {
        for (const each of ids) this.#live.endOfPrincipal(each);
      }),
    ]).catch((error) => {
      this.#log.error({ session: id, err: error }, 'a new session could not be checked for revocation, and is ended');
      end('gateway_error', 'The gateway could not check whether this session may go on.');
    });
  }

  async #endRevoked(id: string | undefined): Promise<void> {
    for (const used of id === undefined ? this.#live.credentialsInUse() : [id]) {
      const row = await this.#credentials.find(used);
      if (!row || row.revokedAt !== undefined) this.#live.endOfCredential(used);
    }
  }

  async #endDisabled(id: string | undefined): Promise<void> {
    const disabled = id === undefined ? await this.#principals.disabledAmong(this.#live.principalsInUse()) : [id];
    for (const each of disabled) this.#live.endOfPrincipal(each);
  }
}
