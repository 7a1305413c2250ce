/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), both sides, as exchanges of strings; owns no socket.
 * Every failure is a `ScramError` without detail for the wire.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import { DerivedKeys } from './scram-keys.ts';

export class ScramError extends Error {}

/** Channel binding as RFC 5802 section 6 spells it: what the client's gs2 header may start with. */
export type Binding =
  | { readonly kind: 'none' }
  /** The client could bind but believes the server cannot. */
  | { readonly kind: 'unused' }
  | { readonly kind: 'tls-server-end-point'; readonly data: Uint8Array };

const maxIterations = 1_000_000;
const maxMessage = 8_192;

export class ScramClient {
  readonly #binding: Binding;
  readonly #keys: DerivedKeys;
  readonly #nonce = randomBytes(18).toString('base64');
  readonly #bare: string;
  #serverSignature: Buffer | undefined;

  constructor(binding: Binding, keys = new DerivedKeys()) {
    this.#binding = binding;
    this.#keys = keys;
    // PostgreSQL takes the user from the startup packet and ignores the one here.
    this.#bare = `n=,r=${this.#nonce}`;
  }

  first(): string {
    return `${gs2Header(this.#binding)}${this.#bare}`;
  }

  async final(serverFirst: string, password: string): Promise<string> {
    if (serverFirst.length > maxMessage) throw new ScramError('server-first-message is too long');
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+=*),i=([1-9][0-9]{0,8})(?:,.*)?$/.exec(serverFirst);
    const [, nonce = '', salt = '', count = ''] = match ?? [];
    const iterations = Number(count);
    if (!match || !nonce.startsWith(this.#nonce) || nonce.length <= this.#nonce.length) {
      throw new ScramError('server-first-message is malformed');
    }
    if (iterations > maxIterations) throw new ScramError('server asks for too many iterations');
    const { clientKey, serverKey } = await this.#keys.of(saslPrep(password), Buffer.from(salt, 'base64'), iterations);
    const withoutProof = `c=${cbindInput(this.#binding).toString('base64')},r=${nonce}`;
    const auth = `${this.#bare},${serverFirst},${withoutProof}`;
    const proof = xor(clientKey, hmac(sha256(clientKey), auth));
    this.#serverSignature = hmac(serverKey, auth);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Throws when the server did not prove that it knows the verifier. */
  verify(serverFinal: string): void {
    const match = /^v=([A-Za-z0-9+/]{43}=)(?:,.*)?$/.exec(serverFinal);
    const expected = this.#serverSignature;
    const given = Buffer.from(match?.[1] ?? '', 'base64');
    if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new ScramError('server signature is wrong');
    }
  }
}

export class ScramServer {
  readonly #verifier: ScramVerifier;
  readonly #mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';
  readonly #endPoint: Uint8Array | undefined;
  #header = '';
  #bare = '';
  #first = '';
  #nonce = '';

  /** `endPoint` is the channel binding data of this connection, when TLS is up and `-PLUS` was offered. */
  constructor(
    verifier: ScramVerifier,
    mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS',
    endPoint: Uint8Array | undefined,
  ) {
    this.#verifier = verifier;
    this.#mechanism = mechanism;
    this.#endPoint = endPoint;
  }

  first(clientFirst: string): string {
    if (clientFirst.length > maxMessage) throw new ScramError('client-first-message is too long');
    const match = /^((?:n|y|p=tls-server-end-point),(?:a=[^,]*)?,)((?:n=[^,]*),r=([\x21-\x2b\x2d-\x7e]{8,512}))$/.exec(
      clientFirst,
    );
    const [, header = '', bare = '', nonce = ''] = match ?? [];
    if (!match) throw new ScramError('client-first-message is malformed');
    const binds = header.startsWith('p=');
    if (binds !== (this.#mechanism === 'SCRAM-SHA-256-PLUS'))
      throw new ScramError('channel binding does not fit the mechanism');
    // `y` says "you do not offer binding" although we do: somebody in between removed the offer (RFC 5802 section 6).
    if (header.startsWith('y') && this.#endPoint) throw new ScramError('channel binding was downgraded');
    this.#header = header;
    this.#bare = bare;
    this.#nonce = nonce + randomBytes(18).toString('base64');
    const salt = Buffer.from(this.#verifier.salt).toString('base64');
    this.#first = `r=${this.#nonce},s=${salt},i=${this.#verifier.iterations}`;
    return this.#first;
  }

  /** Returns the server-final-message, or throws when the proof is wrong. */
  final(clientFinal: string): string {
    if (clientFinal.length > maxMessage) throw new ScramError('client-final-message is too long');
    const match = /^(c=([A-Za-z0-9+/]+=*),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/]{43}=)$/.exec(clientFinal);
    const [, withoutProof = '', cbind = '', nonce = '', proof = ''] = match ?? [];
    if (!match || nonce !== this.#nonce) throw new ScramError('client-final-message is malformed');
    const expected = Buffer.concat(
      [Buffer.from(this.#header), this.#header.startsWith('p=') ? (this.#endPoint ?? []) : []].map((part) =>
        Buffer.from(part),
      ),
    );
    const given = Buffer.from(cbind, 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new ScramError('channel binding is wrong');
    const auth = `${this.#bare},${this.#first},${withoutProof}`;
    const storedKey = Buffer.from(this.#verifier.storedKey);
    const clientKey = xor(Buffer.from(proof, 'base64'), hmac(storedKey, auth));
    if (!timingSafeEqual(sha256(clientKey), storedKey)) throw new ScramError('proof is wrong');
    return `v=${hmac(Buffer.from(this.#verifier.serverKey), auth).toString('base64')}`;
  }
}

function gs2Header(binding: Binding): string {
  if (binding.kind === 'tls-server-end-point') return 'p=tls-server-end-point,,';
  return binding.kind === 'unused' ? 'y,,' : 'n,,';
}

function cbindInput(binding: Binding): Buffer {
  const header = Buffer.from(gs2Header(binding));
  return binding.kind === 'tls-server-end-point' ? Buffer.concat([header, binding.data]) : header;
}

/** SASLprep (RFC 4013) as far as PostgreSQL needs it: non-ASCII spaces to space, NFKC. */
function saslPrep(password: string): string {
  return password
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu, ' ')
    .replace(/(?:\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff)/gu, '')
    .normalize('NFKC');
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  if (a.length !== b.length) throw new ScramError('proof has the wrong length');
  const result = Buffer.alloc(a.length);
  for (let i = 0; i < a.length; i++) result[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return result;
}
