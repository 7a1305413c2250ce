import type { TargetForm } from '@sluice/core/contract/upstream.ts';
import { pinProblem } from './login/host-keys.ts';

export const sshTargets: TargetForm = {
  settings: [
    {
      key: 'host_keys',
      form: 'list',
      required: true,
      longest: 2_048,
      problem: pinProblem,
      doc: 'Keys by which the server is known, as in `known_hosts` without the host (`ssh-ed25519 AAAA…`), or their fingerprints (`SHA256:…`), both as `ssh-keyscan` and `ssh-keygen -l` print them. A server with any other key is refused. A fingerprint does not tell the type of its key, and a server with several shows Ed25519 before ECDSA before RSA.',
    },
  ],
  credential: {
    username: 'required',
    secrets: [
      { key: 'password', doc: 'The account’s password, also given to keyboard-interactive prompts.' },
      { key: 'private_key', doc: 'The account’s private key (Ed25519, ECDSA or RSA), in OpenSSH’s own format or PEM.' },
      { key: 'passphrase', doc: 'What the private key is encrypted with.' },
    ],
  },
  reachedBy: ['address'],
  encrypted: true,
};
