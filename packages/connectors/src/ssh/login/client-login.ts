/** From a connection with keys in use to a proven principal: each way to prove oneself, and one refusal for all. */
import { Buffer } from 'node:buffer';
import type { Admission, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { type Identified, identify, unauthenticated } from '@sluice/core/contract/identity.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { AuthContext, Connection, KeyboardAuthContext, PublicKeyAuthContext } from 'ssh2';
import { isCertificateAlgorithm, readCertificate } from './certificate.ts';
import type { OwnKey } from './keys.ts';
import { readUserName, type UserName } from './user-name.ts';

export interface Proven extends Identified {
  readonly target: string;
  /** A certificate may leave terminals out. */
  readonly terminal: boolean;
}

export interface LoginGrounds {
  readonly ports: Pick<ConnectorPorts, 'clock' | 'log'>;
  readonly admission: Pick<Admission, 'identity' | 'refused'>;
  readonly authority: OwnKey;
  readonly remote: string;
  /** Ends the connection of a client that has tried too often. */
  giveUp(words: string): void;
}

const methods = ['publickey' as const, 'password' as const, 'keyboard-interactive' as const];
/** Attempts to prove oneself per connection; keys that are merely shown (RFC 4252 section 7) have a count of their own. */
const most = { attempts: 6, shown: 20 };

/** Calls back once, when the client has proven who it is; until then it answers and counts. */
export function logClientIn(
  connection: Connection,
  grounds: LoginGrounds,
  proven: (who: Proven, accept: () => void) => void,
): void {
  let attempts = 0;
  let shown = 0;
  let done = false;
  let latest: AuthContext | undefined;
  connection.on('authentication', (context) => {
    latest = context;
    const name = readUserName(context.username);
    const refuse = (error?: unknown): void => {
      if (error !== undefined) note(grounds, context, name, error);
      if (attempts < most.attempts && shown < most.shown) {
        context.reject([...methods]);
        return;
      }
      grounds.giveUp('Too many authentication failures');
    };
    // How a client asks what there is (RFC 4252 section 5.2).
    if (context.method === 'none') {
      shown++;
      refuse();
      return;
    }
    if (context.method === 'publickey' && context.signature === undefined) {
      shown++;
      offered(grounds, context, name) ? context.accept() : refuse();
      return;
    }
    attempts++;
    prove(grounds, context, name).then(
      (who) => {
        // RFC 4252 section 5.1: a new request takes back one that is not answered yet, whatever comes of that.
        if (done || latest !== context) return;
        done = true;
        proven(who, () => context.accept());
      },
      (error) => refuse(error),
    );
  });
}

async function prove(grounds: LoginGrounds, context: AuthContext, name: UserName | undefined): Promise<Proven> {
  if (!name) throw unauthenticated(undefined, 'the user name names no target');
  switch (context.method) {
    case 'password':
      // A password that is to be changed comes as an object; we have none to change.
      return bySecret(grounds, name, typeof context.password === 'string' ? context.password : '');
    case 'keyboard-interactive':
      return bySecret(grounds, name, await asked(context));
    case 'publickey':
      return byCertificate(grounds, context, name);
    default:
      throw unauthenticated(undefined, `the method ${context.method} is not offered`);
  }
}

async function bySecret({ admission }: LoginGrounds, name: UserName, secret: string): Promise<Proven> {
  if (secret === '') throw unauthenticated(undefined, 'an empty secret');
  const who = await identify(admission.identity, name.target, new Redacted(secret), name.user);
  checkUser(name, who);
  return { ...who, target: name.target, terminal: true };
}

/** RFC 4256: one question, whose answer is not shown. */
function asked(context: KeyboardAuthContext): Promise<string> {
  return new Promise((resolve) => {
    context.prompt([{ prompt: 'Token or access credential: ', echo: false }], '', '', (answers: unknown) => {
      const [answer] = Array.isArray(answers) && answers.length === 1 ? (answers as unknown[]) : [];
      resolve(typeof answer === 'string' ? answer : '');
    });
  });
}

async function byCertificate(grounds: LoginGrounds, context: PublicKeyAuthContext, name: UserName): Promise<Proven> {
  const { admission } = grounds;
  const certified = certificateOf(grounds, context, name);
  // The signature is over the session's id and the request as it was sent (RFC 4252 section 7).
  if (!certified.key.verifies(asBuffer(context.blob), asBuffer(context.signature))) {
    throw unauthenticated(undefined, 'a certificate whose key the client does not hold');
  }
  const who: Identified = {
    principal: await admission.identity.redeem(certified.credential, name.target),
    credential: certified.credential,
  };
  checkUser(name, who);
  return { ...who, target: name.target, terminal: certified.terminal };
}

/** Whether it is worth a signature; who holds the key is not known yet. */
function offered(grounds: LoginGrounds, context: PublicKeyAuthContext, name: UserName | undefined): boolean {
  if (!name) return false;
  try {
    certificateOf(grounds, context, name);
    return true;
  } catch {
    return false;
  }
}

function certificateOf(grounds: LoginGrounds, context: PublicKeyAuthContext, name: UserName) {
  const { algo, data } = context.key;
  if (!isCertificateAlgorithm(algo)) throw unauthenticated(undefined, `a bare key (${algo.slice(0, 64)})`);
  try {
    const certified = readCertificate(grounds.authority, asBuffer(data), algo, grounds.ports.clock.now());
    if (certified.target !== name.target) throw new RangeError('for another target');
    if (!grounds.admission.identity.isCredentialId(certified.credential)) throw new RangeError('for no credential');
    return certified;
  } catch (error) {
    throw unauthenticated(error, `certificate: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}

/** A user part is a claim like any other: it has to be the credential, or who the principal is. */
function checkUser({ user }: UserName, { principal, credential }: Identified): void {
  if (user === undefined || user === credential || user === principal.subject || user === principal.id) return;
  throw unauthenticated(undefined, 'the user name is somebody else’s');
}

function note(
  { admission, ports, remote }: LoginGrounds,
  context: AuthContext,
  name: UserName | undefined,
  error: unknown,
) {
  const code = error instanceof CoreError ? error.code : 'internal';
  ports.log.info({ remote, user: context.username, method: context.method, err: error }, 'proof refused');
  admission.refused(code, name?.user ?? '', name?.target ?? context.username.slice(0, 128));
}

function asBuffer(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}
