import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { type FetchJson, isLoopback, requireSafeUrl } from './bounded-fetch.ts';
import { Refusal } from './refusal.ts';

/** Milliseconds. A key that the issuer withdrew is believed for at most `maxAge`. */
const maxAge = 10 * 60_000;
/** Unknown key ids in tokens, which anybody can make up, cause at most one request in this time. */
const unknownKeyCooldown = 30_000;
/** After a failure nobody asks again for this long: a login flood must not become a flood at the issuer. */
const failureCooldown = 10_000;
const bounds = { timeout: 5_000, maxBytes: 512 * 1024 };
const maxKeys = 100;

interface Fetched {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly at: number;
}

/** One issuer's public keys: fetched when needed, kept for a while, fetched anew when a token names a new one. */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #jwksUri: string | undefined;
  readonly #ports: { readonly clock: Pick<Clock, 'now'>; readonly log: Log; readonly fetchJson: FetchJson };
  #fetched: Fetched | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #inFlight: Promise<Fetched> | undefined;

  constructor(
    issuer: { readonly issuer: string; readonly jwksUri?: string },
    ports: { readonly clock: Pick<Clock, 'now'>; readonly log: Log; readonly fetchJson: FetchJson },
  ) {
    this.#issuer = issuer.issuer;
    this.#jwksUri = issuer.jwksUri;
    this.#ports = ports;
  }

  /** The key a token's header names, by `kid` and `alg` alone. Rejects with a Refusal. */
  async find(header: JWSHeaderParameters): Promise<CryptoKey> {
    // Only these two are looked at: `jku`, `jwk`, `x5u` and `x5c` would let the token bring its own key.
    const { alg = 'none', kid } = header;
    const wanted = kid === undefined ? { alg } : { alg, kid };
    const now = this.#ports.clock.now();
    let keys = this.#fetched;
    if (!keys || now - keys.at >= maxAge) keys = await this.#fetch();
    try {
      return await keys.find(wanted);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now - keys.at < unknownKeyCooldown) throw noKey(error);
    }
    const fresh = await this.#fetch();
    try {
      return await fresh.find(wanted);
    } catch (error) {
      throw noKey(error);
    }
  }

  /** Fetches ahead of the first login. Never rejects: the log says what is wrong, and a later login tries again. */
  async preload(): Promise<void> {
    try {
      await this.#fetch();
    } catch {
      // Said in the log already.
    }
  }

  #fetch(): Promise<Fetched> {
    if (this.#inFlight) return this.#inFlight;
    if (this.#ports.clock.now() - this.#failedAt < failureCooldown) {
      return Promise.reject(
        new Refusal('issuer_unavailable', `the keys of ${this.#issuer} could not be fetched just now`),
      );
    }
    this.#inFlight = this.#fetchNow().finally(() => {
      this.#inFlight = undefined;
    });
    return this.#inFlight;
  }

  async #fetchNow(): Promise<Fetched> {
    try {
      const url = this.#jwksUri === undefined ? await this.#discover() : requireSafeUrl(this.#jwksUri);
      const set = readKeySet(await this.#ports.fetchJson(url, bounds), url);
      this.#fetched = { find: createLocalJWKSet(set), at: this.#ports.clock.now() };
      return this.#fetched;
    } catch (error) {
      this.#failedAt = this.#ports.clock.now();
      const detail = error instanceof Error ? error.message : 'unknown';
      this.#ports.log.error(
        { issuer: this.#issuer, detail },
        'the keys of an issuer can’t be fetched: its tokens are refused until they can. Check identity.issuers (issuer, jwks_uri) and that this machine reaches it',
      );
      throw new Refusal('issuer_unavailable', detail, error);
    }
  }

  /** OpenID Connect Discovery 1.0 section 4. */
  async #discover(): Promise<URL> {
    const url = requireSafeUrl(`${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const document = await this.#ports.fetchJson(url, bounds);
    const issuer = field(document, 'issuer');
    // Section 4.3: must be identical, or one issuer could speak for another.
    if (issuer !== this.#issuer) throw new Error(`${url.href} describes another issuer than ${this.#issuer}`);
    const uri = field(document, 'jwks_uri');
    if (typeof uri !== 'string') throw new Error(`${url.href} has no jwks_uri`);
    const keys = requireSafeUrl(uri);
    // An issuer elsewhere must not make the gateway ask services of its own machine.
    if (isLoopback(keys) && !isLoopback(url))
      throw new Error(`${url.href} names a jwks_uri on this machine’s loopback`);
    return keys;
  }
}

function noKey(error: unknown): Refusal {
  if (error instanceof errors.JWKSNoMatchingKey) return new Refusal('no_key', 'the issuer has no such key', error);
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return new Refusal('no_key', 'the token names no key id and more than one key of the issuer fits', error);
  }
  return new Refusal('no_key', 'the issuer’s key can’t be used', error);
}

function readKeySet(document: unknown, url: URL): JSONWebKeySet {
  const keys = field(document, 'keys');
  if (!Array.isArray(keys)) throw new Error(`${url.href} is no JSON Web Key Set`);
  if (keys.length > maxKeys) throw new Error(`${url.href} has more than ${maxKeys} keys`);
  // RFC 7517 section 5: keys of an unknown type are ignored. A symmetric one must never have been published.
  const usable = keys.filter((key: unknown) => ['RSA', 'EC', 'OKP'].includes(String(field(key, 'kty'))));
  return { keys: usable as JSONWebKeySet['keys'] };
}

function field(document: unknown, name: string): unknown {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, name)) return undefined;
  return (document as Record<string, unknown>)[name];
}
