import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';

/**
 * What may be negotiated, in both directions: nothing with SHA-1, CBC, RC4 or a group below 2048 bits, and no
 * compression, which would make sizes lie; no group so large that whoever asks for keys over and over stops the gateway. The library has no post-quantum key exchange, so none is offered. It always
 * offers strict key exchange (`kex-strict-*-v00@openssh.com`), which is what stops a cut-off prefix (CVE-2023-48795).
 */
export const algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const satisfies Algorithms;

/** Signatures a target may prove its host key with, best first. */
export const hostKeyAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** As the library wants them: arrays of its own. */
export function negotiable(hostKeys?: readonly ServerHostKeyAlgorithm[]): Algorithms {
  return {
    kex: [...algorithms.kex],
    cipher: [...algorithms.cipher],
    hmac: [...algorithms.hmac],
    compress: [...algorithms.compress],
    ...(hostKeys ? { serverHostKey: [...hostKeys] } : {}),
  };
}
