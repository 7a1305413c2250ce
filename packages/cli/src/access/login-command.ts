import type { Target } from '@sluice/api/schema/gateway.ts';
import type { AccessFiles } from './access-files.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Where the target is reached from here: a gateway that listens everywhere is where its API is. */
export function placeOf({ address }: Pick<Target, 'address'>, api: string): Place | undefined {
  if (!address) return undefined;
  const everywhere = address.host === '0.0.0.0' || address.host === '::';
  return { host: everywhere ? new URL(api).hostname.replace(/^\[|\]$/g, '') : address.host, port: address.port };
}

/** Lines of a known_hosts file (sshd(8)); the port is part of the name where it is not the usual one. */
export function knownHosts({ host, port }: Place, keys: readonly string[]): string[] {
  const name = port === 22 ? host : `[${host}]:${port}`;
  return keys.map((key) => `${name} ${key}`);
}

/** For a POSIX shell, with OpenSSH's client: nothing it finds in the user's own configuration lets it use another key. */
export function loginCommand(target: string, { host, port }: Place, files: AccessFiles): string {
  const options = [
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    // Its value is read like a line of the configuration, where blanks part two files.
    `UserKnownHostsFile="${files.known_hosts}"`,
  ];
  const words = ['-i', files.key, ...options.flatMap((option) => ['-o', option]), '-p', `${port}`, `${target}@${host}`];
  return `ssh ${words.map(quoted).join(' ')}`;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
