import type { Account } from '../account/account.ts';
import type { HostKeys } from './keys.ts';

/** What a server needs to know of the host that it makes reachable. */
export interface Premises {
  /** Folder for the server's own configuration. */
  readonly dir: string;
  /** Where commands start. */
  readonly folder: string;
  readonly account: Account;
  readonly keys: HostKeys;
}

export interface Reachable {
  readonly port: number;
  readonly user: string;
  stop(): Promise<void>;
}

export const hostAddress = '127.0.0.1';

/** Where programs of the host are looked for, the host's own first. */
export function pathOf(folder: string): string {
  return `${folder}/bin:/usr/local/bin:/usr/bin:/bin`;
}
