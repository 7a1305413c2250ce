import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { absolute } from './config.ts';
import type { Environment } from './environment.ts';
import type { Finding } from './problem.ts';
import { parseReference } from './scalars.ts';
import type { ConfigDocument } from './schema.ts';
import { fileTrouble, readSecretNow, SecretError } from './secrets.ts';

export function checkFiles(document: ConfigDocument, dir: string, environment: Environment): Finding[] {
  return [
    ...checkTls(document, dir),
    ...checkDataDir(document, dir),
    ...checkStore(document, dir, environment),
    ...checkPolicies(document, dir),
  ];
}

function checkTls(document: ConfigDocument, dir: string): Finding[] {
  if (!document.tls) return [];
  const found: Finding[] = [];
  const certificate = readCertificate(resolve(dir, document.tls.cert));
  if (typeof certificate === 'string') found.push({ severity: 'error', path: ['tls', 'cert'], message: certificate });
  const key = readKey(resolve(dir, document.tls.key));
  if (typeof key === 'string') found.push({ severity: 'error', path: ['tls', 'key'], message: key });
  if (typeof certificate === 'string' || typeof key === 'string') return found;
  if (!certificate.checkPrivateKey(key)) {
    found.push({ severity: 'error', path: ['tls', 'key'], message: 'is not the key of the certificate in tls.cert' });
  }
  if (Date.parse(certificate.validTo) < Date.now()) {
    found.push({ severity: 'warning', path: ['tls', 'cert'], message: `expired on ${certificate.validTo}` });
  }
  return found;
}

/** The first certificate of a PEM file, or what is wrong with the file. */
export function readCertificate(path: string): X509Certificate | string {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    return `the file ${fileTrouble(error)}`;
  }
  try {
    return new X509Certificate(pem);
  } catch {
    return 'the file holds no PEM certificate';
  }
}

function readKey(path: string): KeyObject | string {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    return `the file ${fileTrouble(error)}`;
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'the file holds no private key in PEM without a passphrase';
  }
}

function checkDataDir(document: ConfigDocument, dir: string): Finding[] {
  const path = ['data_dir'];
  let directory = resolve(dir, document.data_dir);
  // The gateway makes it when it is not there yet: then its nearest existing parent must let it.
  for (;;) {
    try {
      const stats = statSync(directory);
      if (!stats.isDirectory()) return [{ severity: 'error', path, message: 'is not a directory' }];
      accessSync(directory, constants.W_OK | constants.X_OK);
      return [];
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const parent = dirname(directory);
      if (code !== 'ENOENT' || parent === directory) {
        return [{ severity: 'error', path, message: 'can’t be written to by this user' }];
      }
      directory = parent;
    }
  }
}

function checkStore(document: ConfigDocument, dir: string, environment: Environment): Finding[] {
  const path = ['store'];
  if (document.store === 'embedded') return [];
  const reference = parseReference(document.store);
  let url = document.store;
  if (reference) {
    try {
      url = readSecretNow(absolute(reference, dir), environment).reveal();
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      return [{ severity: 'error', path, message: error.message }];
    }
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    const message = reference ? 'what it refers to is not a postgres:// URL' : 'is not a postgres:// URL';
    return [{ severity: 'error', path, message }];
  }
  if (!reference && (parsed.password !== '' || parsed.searchParams.has('password'))) {
    const message = 'holds a password; put the URL into a file or an environment variable and refer to it';
    return [{ severity: 'warning', path, message }];
  }
  return [];
}

function checkPolicies(document: ConfigDocument, dir: string): Finding[] {
  return document.policies.flatMap((glob, index): Finding[] => {
    if (globSync(glob, { cwd: dir, dot: false, onlyFiles: true }).length > 0) return [];
    const message = 'matches no file; without policies everything is denied';
    return [{ severity: 'warning', path: ['policies', index], message }];
  });
}
