/**
 * The keys that a SCRAM client derives of a password, kept for the next login with the same password at the same server
 * (RFC 5802 section 5.1 lets a client do so): deriving them is made slow on purpose. Nothing is kept in clear: a
 * password is known by a digest under a key that only this process has and that is never written down.
 */
import { createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly serverKey: Buffer;
}

/** Passwords, salts and counts kept at most; a server that sends another salt each time only pushes out its own kind. */
const mostKept = 64;

export class DerivedKeys {
  readonly #secret = randomBytes(32);
  readonly #kept = new Map<string, Promise<ScramKeys>>();

  /** `password` as SASLprep leaves it. Rejects as the derivation does, and keeps nothing then. */
  of(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
    const id = this.#idOf(password, salt, iterations);
    const known = this.#kept.get(id);
    // Whatever is used goes to the end, so that the first is the one that was longest not used.
    this.#kept.delete(id);
    const keys = known ?? this.#derived(id, password, salt, iterations);
    this.#kept.set(id, keys);
    if (this.#kept.size > mostKept) this.#dropOldest();
    return keys;
  }

  get size(): number {
    return this.#kept.size;
  }

  async #derived(id: string, password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
    try {
      const salted = await derive(password, salt, iterations, 32, 'sha256');
      return { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') };
    } catch (error) {
      this.#kept.delete(id);
      throw error;
    }
  }

  #idOf(password: string, salt: Buffer, iterations: number): string {
    // Lengths first: no password with a salt behind it may read as another password with another salt.
    const sizes = `${Buffer.byteLength(password)} ${salt.length} ${iterations} `;
    return createHmac('sha256', this.#secret).update(sizes).update(password).update(salt).digest('base64');
  }

  #dropOldest(): void {
    const oldest = this.#kept.keys().next();
    if (!oldest.done) this.#kept.delete(oldest.value);
  }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
