import { createPrivateKey } from 'node:crypto';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import ssh2, { type ParsedKey } from 'ssh2';
import { ownKey } from './keys.ts';

/**
 * The private key of an account, in OpenSSH's own format or PEM of any kind. The library reads no PKCS #8 (RFC 5958),
 * which is what OpenSSL writes today, so that is put into a form that it reads. Throws for what is no key, or is encrypted
 * with another passphrase; the message holds nothing of it.
 */
export function readAccountKey(text: string, passphrase: string | undefined): ParsedKey {
  const phrase = passphrase === undefined ? {} : { passphrase };
  const readable = /-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(text) ? typed(text, phrase) : text;
  const parsed = ssh2.utils.parseKey(readable, passphrase);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

function typed(text: string, phrase: { readonly passphrase?: string }): string {
  const key = createPrivateKey({ key: text, format: 'pem', ...phrase });
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString();
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString();
    case 'ed25519':
      return ownKey(new Redacted(key.export({ type: 'pkcs8', format: 'pem' }).toString())).privateText();
    default:
      throw new Error(`keys of the type ${key.asymmetricKeyType} log nobody in over SSH`);
  }
}
