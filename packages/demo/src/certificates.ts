import { webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface Certificates {
  /** PEM file with the authority that clients are to trust. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const day = 24 * 60 * 60 * 1000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * The demo's own certificate authority and one certificate of it for this machine's loopback names, made at first use
 * and again shortly before they end. The authority's private key is dropped after its one signature, so that nothing
 * else can ever be signed with it.
 */
export async function keptCertificates(dir: string): Promise<Certificates> {
  const files = { authority: join(dir, 'ca.crt'), certificate: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  if (await stillGood(files)) return files;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const made = await make(Date.now());
  await writeFile(files.key, made.key, { mode: 0o600 });
  await writeFile(files.certificate, made.certificate);
  await writeFile(files.authority, made.authority);
  return files;
}

async function stillGood(files: Certificates): Promise<boolean> {
  try {
    const [authority, certificate] = await Promise.all([readFile(files.authority), readFile(files.certificate)]);
    await readFile(files.key);
    const server = new X509Certificate(certificate);
    const signed = server.verify(new X509Certificate(authority).publicKey);
    return signed && Date.parse(server.validTo) > Date.now() + 7 * day;
  } catch {
    return false;
  }
}

async function make(now: number): Promise<{ authority: string; certificate: string; key: string }> {
  const notBefore = new Date(now - day);
  const notAfter = new Date(now + 365 * day);
  const authorityKeys = await keyPair();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Sluice demo CA',
    notBefore,
    notAfter,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const serverKeys = await keyPair();
  const server = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.subject,
    notBefore,
    notAfter,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey));
  return {
    authority: `${authority.toString('pem')}\n`,
    certificate: `${server.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
