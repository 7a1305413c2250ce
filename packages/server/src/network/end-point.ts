import { createHash } from 'node:crypto';

/** Digest by the OID of the certificate's signature algorithm (RFC 8017 appendix A.2.4, RFC 5758 section 3.2). */
const digests: Readonly<Record<string, string>> = {
  // MD5 and SHA-1 count as SHA-256 here (RFC 5929 section 4.1).
  '2a864886f70d010104': 'sha256',
  '2a864886f70d010105': 'sha256',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/**
 * Channel binding data `tls-server-end-point` for a certificate in DER (RFC 5929 section 4.1). Undefined where the
 * signature algorithm has no digest of its own (Ed25519, RSA-PSS): the binding is then not defined either.
 */
export function endPointOf(certificate: Uint8Array): Buffer | undefined {
  const der = Buffer.from(certificate);
  // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { algorithm OID, … }, … }
  const outer = element(der, 0);
  const tbs = outer && element(der, outer.start);
  const algorithm = tbs && element(der, tbs.end);
  const oid = algorithm && element(der, algorithm.start);
  if (!oid || der[algorithm.start] !== 0x06) return undefined;
  const digest = digests[der.toString('hex', oid.start, oid.end)];
  return digest === undefined ? undefined : createHash(digest).update(der).digest();
}

/** Where one DER element's content starts and ends (X.690 section 8.1.3). */
function element(der: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const size = first & 0x7f;
  if (size < 1 || size > 4 || at + 2 + size > der.length) return undefined;
  const start = at + 2 + size;
  return { start, end: start + der.readUIntBE(at + 2, size) };
}
