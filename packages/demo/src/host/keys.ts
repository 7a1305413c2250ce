import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';

export interface HostKeys {
  /** OpenSSH private key, mode 0600. */
  readonly hostKeyFile: string;
  /** `ssh-ed25519 AAAA…`, what the gateway pins. */
  readonly hostPublicKey: string;
  /** What the gateway logs in with. */
  readonly clientKeyFile: string;
  readonly clientPublicKey: string;
}

/** The host's key and the one it lets in: made at first use, then the same, so that what was pinned stays true. */
export async function keptHostKeys(dir: string): Promise<HostKeys> {
  const host = await keptPair(join(dir, 'host-key'));
  const client = await keptPair(join(dir, 'gateway-key'));
  return {
    hostKeyFile: host.file,
    hostPublicKey: host.publicKey,
    clientKeyFile: client.file,
    clientPublicKey: client.publicKey,
  };
}

async function keptPair(file: string): Promise<{ file: string; publicKey: string }> {
  const kept = await readFile(`${file}.pub`, 'utf8').catch(() => undefined);
  if (kept !== undefined) return { file, publicKey: kept.trim() };
  const pair = newPair();
  await writeFile(file, pair.private, { mode: 0o600 });
  // Written last: half a pair is made again.
  await writeFile(`${file}.pub`, `${pair.public}\n`);
  return { file, publicKey: pair.public.trim() };
}

/** One in some hundred keys that the library makes is malformed, and it can't read them itself: then another one. */
export function newPair(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
