import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { readKeyFile, writeKeyFile } from './key-files.ts';
import { keysDirectory } from './keys.ts';

/**
 * Keys that connectors ask for by name: `<data_dir>/keys/<connector>-<name>.pem`, Ed25519, PKCS #8, made when first asked
 * for. Throws `KeyError`.
 */
export function connectorKeys(dataDir: string): (connector: string, name: string) => Redacted {
  return (connector, name) => {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) throw new Error(`a connector's key may not be called ${name}`);
    const path = join(keysDirectory(dataDir), `${connector}-${name}.pem`);
    const stored = readKeyFile(path);
    if (stored !== undefined) return new Redacted(stored);
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
