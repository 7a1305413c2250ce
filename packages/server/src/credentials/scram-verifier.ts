import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Digests } from '@sluice/core/contract/crypto.ts';
import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';

const derive = promisify(pbkdf2);

/**
 * RFC 7677 section 4 asks for 4096 at least, against guessing. Our secrets are 192 random bits, which nobody guesses at
 * any count, so that more would only slow down logins.
 */
export const iterations = 4096;

const keyBytes = 32;
const saltBytes = 16;

/**
 * The salt belongs to the id, whether a credential of that id exists or not: an answer for an unknown id can't be told
 * from one for a known id, and stays the same when the credential is issued, revoked or removed.
 */
export function saltFor(id: string, digests: Pick<Digests, 'keyedHash'>): Uint8Array {
  return derived('salt', id, digests).subarray(0, saltBytes);
}

/** RFC 5802 section 3. The secret is ASCII, so that SASLprep changes nothing in it. */
export async function verifierFor(secret: string, salt: Uint8Array): Promise<ScramVerifier> {
  const salted = await derive(secret, salt, iterations, keyBytes, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const serverKey = createHmac('sha256', salted).update('Server Key').digest();
  return { salt, iterations, storedKey, serverKey };
}

/** Whether the secret is the one that the verifier was made from. */
export async function satisfies(secret: Redacted, verifier: ScramVerifier): Promise<boolean> {
  const own = await verifierFor(secret.reveal(), verifier.salt);
  return timingSafeEqual(own.storedKey, verifier.storedKey);
}

/** What nothing satisfies: its stored key is no hash of anything known to anybody. */
export function unsatisfiable(id: string, digests: Pick<Digests, 'keyedHash'>): ScramVerifier {
  return {
    salt: saltFor(id, digests),
    iterations,
    storedKey: derived('stored key', id, digests),
    serverKey: derived('server key', id, digests),
  };
}

function derived(purpose: string, id: string, digests: Pick<Digests, 'keyedHash'>): Uint8Array {
  // The first part keeps these apart from whatever else the deployment's key is used for.
  return digests.keyedHash(Buffer.from(`sluice access credential ${purpose}\0`), Buffer.from(id));
}
