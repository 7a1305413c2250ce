import { Buffer } from 'node:buffer';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { UpstreamAccess, UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import ssh2, { type AnyAuthMethod, type Client, type ParsedKey } from 'ssh2';
import { LinkDuplex } from '../../wire/duplex.ts';
import { negotiable } from '../transport/algorithms.ts';
import { GatheredLink } from '../transport/gathered-link.ts';
import { readAccountKey } from './account-key.ts';
import { algorithmsFor, fingerprintOf, isPinned } from './host-keys.ts';

const { Client: SshClient } = ssh2;

/** A target that says nothing for this long while logging in is given up; milliseconds. */
const loginTime = 20_000;
const alive = { interval: 30_000, count: 4 };

export interface Upstream {
  readonly client: Client;
  readonly stream: LinkDuplex;
}

/**
 * Our own login at the target: its key must be one that was written down, then the credential is shown. Rejects with
 * `upstream_login` or `upstream_unreachable`, whose texts name neither secret nor address.
 */
export function logIn(access: UpstreamAccess, target: string, clock: Clock): Promise<Upstream> {
  const pins = listOf(access.settings['host_keys']);
  const stream = new LinkDuplex(new GatheredLink(access.socket));
  const client = new SshClient();
  let seen: Buffer | undefined;
  return new Promise((resolve, reject) => {
    const refuse = (error: CoreError): void => {
      stopClock();
      client.removeAllListeners('ready');
      stream.destroy();
      reject(error);
    };
    const stopClock = clock.after(loginTime, () => refuse(failed(target, 'It did not answer in time.')));
    // Stays for the life of the connection: an error without a listener would end the process.
    client.on('error', (cause) => refuse(problemOf(target, cause, seen)));
    stream.on('error', (cause) => refuse(problemOf(target, cause, undefined)));
    client.once('close', () => refuse(failed(target, 'It closed the connection.')));
    client.once('ready', () => {
      stopClock();
      resolve({ client, stream });
    });
    try {
      client.connect({
        sock: stream,
        username: access.credential.username,
        algorithms: negotiable(algorithmsFor(pins)),
        // Never trust on first use: what is not written down is refused before anything is shown to it.
        hostVerifier: (key: Buffer) => {
          if (isPinned(pins, key)) return true;
          seen = Buffer.from(key);
          return false;
        },
        authHandler: methodsOf(access.credential),
        readyTimeout: 0,
        keepaliveInterval: alive.interval,
        keepaliveCountMax: alive.count,
      });
    } catch (cause) {
      refuse(problemOf(target, cause, undefined));
    }
  });
}

/** In order; each at most once. */
function methodsOf({ username, secrets }: UpstreamCredential): AnyAuthMethod[] {
  const { private_key: key, passphrase, password } = secrets;
  const methods: AnyAuthMethod[] = [];
  if (key) {
    const phrase = passphrase?.reveal();
    let parsed: ParsedKey;
    try {
      parsed = readAccountKey(key.reveal(), phrase);
    } catch (cause) {
      throw new CoreError(
        'upstream_login',
        'gateway',
        'The gateway has no usable key for this target. Tell its operator.',
        {
          cause,
          detail: `the target's private_key cannot be read: ${cause instanceof Error ? cause.message : 'no key'}`,
        },
      );
    }
    methods.push({ type: 'publickey', username, key: parsed, ...(phrase ? { passphrase: phrase } : {}) });
  }
  if (password) {
    methods.push({ type: 'password', username, password: password.reveal() });
    let told = false;
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        // Only what looks like the one question for a password gets it, and only once: the next one may be for a code.
        const asks = !told && prompts.length === 1 && prompts[0]?.echo === false;
        told ||= asks;
        finish(asks ? [password.reveal()] : prompts.map(() => ''));
      },
    });
  }
  return methods;
}

function problemOf(target: string, cause: unknown, unknownKey: Buffer | undefined): CoreError {
  if (cause instanceof CoreError) return cause;
  if (unknownKey) {
    const print = fingerprintOf(unknownKey);
    return new CoreError(
      'upstream_login',
      'upstream',
      `The target "${target}" shows a host key that is not pinned for it (${print}). If that is its key, its operator can add it to \`host_keys\`; if not, somebody may be in between.`,
      { cause, detail: `host key ${print} is not among the target's host_keys` },
    );
  }
  const level = (cause as { level?: unknown } | undefined)?.level;
  if (level === 'client-authentication') {
    return new CoreError(
      'upstream_login',
      'upstream',
      `The target "${target}" refused the gateway's credential. Tell its operator.`,
      { cause, detail: 'the target refused every method that its credential has' },
    );
  }
  return failed(target, 'The connection broke or it speaks another protocol.', cause);
}

function failed(target: string, why: string, cause?: unknown): CoreError {
  return new CoreError('upstream_login', 'upstream', `The login at the target "${target}" failed. ${why}`, { cause });
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? []);
}
