import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** PEM texts. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority for one test run; its key is never written anywhere. */
export interface TestCa {
  /** PEM; what a client must trust. */
  readonly cert: string;
  /** Names may be host names or IP addresses. Valid for a day around now unless `expired`. */
  issue(names: readonly string[], options?: { readonly expired?: boolean }): Promise<TestCertificate>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;

export async function createTestCa(name = 'Sluice test CA'): Promise<TestCa> {
  const makeKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await makeKeys();
  const from = new Date(Date.now() - hour);
  const to = new Date(Date.now() + 24 * hour);
  const root = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: from,
    notAfter: to,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    cert: root.toString('pem'),
    async issue(names, options = {}) {
      const leaf = await makeKeys();
      const certificate = await X509CertificateGenerator.create({
        subject: `CN=${names[0] ?? 'localhost'}`,
        issuer: root.subject,
        notBefore: options.expired ? new Date(from.getTime() - 48 * hour) : from,
        notAfter: options.expired ? new Date(from.getTime() - 24 * hour) : to,
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new SubjectAlternativeNameExtension(
            names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const), value })),
          ),
          await AuthorityKeyIdentifierExtension.create(root),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey);
      return { cert: certificate.toString('pem'), key: PemConverter.encode(pkcs8, 'PRIVATE KEY') };
    },
  };
}
