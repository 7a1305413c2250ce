import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { KeyError, readKeyFile, writeKeyFile } from './key-files.ts';
import { keysDirectory } from './keys.ts';

/**
 * Keys that connectors ask for by name: `<data_dir>/keys/<connector>-<name>.pem`, Ed25519, PKCS #8, made when first asked
 * for, or, with `read`, only ever read: of several processes one makes keys. Throws `KeyError`.
 */
export function connectorKeys(
  dataDir: string,
  how: 'make' | 'read' = 'make',
): (connector: string, name: string) => Redacted {
  return (connector, name) => {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) throw new Error(`a connector's key may not be called ${name}`);
    const path = join(keysDirectory(dataDir), `${connector}-${name}.pem`);
    const stored = readKeyFile(path);
    if (stored !== undefined) return new Redacted(stored);
    if (how === 'read') throw new KeyError('key_unreadable', `${path}: the key is gone. Restore it, and start again.`);
    const fresh = newKey();
    writeKeyFile(path, fresh.reveal(), 0o600);
    return fresh;
  };
}

/** A key for one process, kept nowhere. */
export function newKey(): Redacted {
  const { privateKey } = generateKeyPairSync('ed25519');
  return new Redacted(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}
