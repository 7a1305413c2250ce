/** Logs the gateway in at a PostgreSQL server, trusting nothing that the server says. */
import { createHash } from 'node:crypto';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { type Binding, ScramClient, ScramError } from '../../wire/scram.ts';
import { DerivedKeys } from '../../wire/scram-keys.ts';
import { readParameterStatus, readStatus } from '../protocol/backend.ts';
import { authentication, server } from '../protocol/codes.ts';
import { readFields } from '../protocol/fields.ts';
import {
  passwordMessage,
  saslInitialResponse,
  saslResponse,
  sslRequest,
  startupMessage,
} from '../protocol/messages.ts';
import { MessageReader } from './message-reader.ts';

/** A server of good faith says nothing larger while logging in. */
const maxLoginMessage = 65_536;
const maxLoginMessages = 1_000;
/** A server that says nothing must not keep a client waiting for ever. Milliseconds. */
const loginTime = 15_000;
/** Each session logs in anew, mostly with the same password at the same server. */
const derivedKeys = new DerivedKeys();

export interface LoggedIn {
  readonly parameters: ReadonlyMap<string, string>;
  readonly pid: number;
  readonly secret: Buffer;
  /** What the server already sent behind its first ReadyForQuery; normally nothing. */
  readonly rest: Buffer;
}

/** Rejects with `upstream_login`, `upstream_protocol` or `upstream_unreachable`; the public text names no secret. */
export async function logIn(
  access: UpstreamAccess,
  settings: ReadonlyMap<string, string>,
  clock: Pick<Clock, 'after'>,
): Promise<LoggedIn> {
  let late = false;
  const stopClock = clock.after(loginTime, () => {
    late = true;
    access.socket.destroy();
  });
  try {
    return await exchange(access, settings);
  } catch (cause) {
    if (late) {
      const text = 'The database did not answer the gateway in time.';
      throw new CoreError('upstream_unreachable', 'upstream', text, { cause });
    }
    // Whoever reads this error next must not take the server's malformed message for the client's.
    if (cause instanceof RangeError) throw protocol(`sent a malformed message (${cause.message})`);
    throw cause;
  } finally {
    stopClock();
  }
}

async function exchange(access: UpstreamAccess, settings: ReadonlyMap<string, string>): Promise<LoggedIn> {
  const { socket, credential } = access;
  const reader = new MessageReader(socket, 'upstream', maxLoginMessage);
  if (access.tls !== 'disable') await startTls(access, reader);
  const parameters = new Map([
    ['user', credential.username],
    ['database', String(access.settings['database'] ?? credential.username)],
    ['client_encoding', 'UTF8'],
    ['standard_conforming_strings', 'on'],
    ...settings,
  ]);
  socket.write(startupMessage(parameters));
  await authenticate(access, reader);
  return afterAuthentication(reader);
}

export async function startTls(access: UpstreamAccess, reader: MessageReader): Promise<void> {
  access.socket.write(sslRequest());
  const answer = String.fromCharCode(await reader.byte());
  if (answer !== 'S') {
    throw failed('The database does not offer TLS, which this target requires (see its `tls` setting).');
  }
  // Anything behind the answer came before TLS was up and could be somebody else's.
  if (reader.buffered > 0) throw protocol('sent plaintext behind its answer to SSLRequest');
  await access.socket.startTls({});
}

async function authenticate(access: UpstreamAccess, reader: MessageReader): Promise<void> {
  let scram: ScramClient | undefined;
  let proven = false;
  for (let count = 0; count < 20; count++) {
    const { type, frame } = await reader.message();
    if (type === server.error) throw rejected(frame);
    if (type === server.negotiateVersion) continue;
    if (type !== server.authentication) throw protocol('sent something else than an authentication request');
    const body = new ByteReader(frame, 5);
    const code = body.int32();
    const rest = body.bytes(body.left);
    if (code === authentication.ok) {
      // A server that skips its own proof may be somebody else (RFC 5802 section 5).
      if (scram && !proven) throw protocol('skipped its proof of identity');
      return;
    }
    if (code === authentication.cleartext || code === authentication.md5) {
      if (!access.socket.secure && !access.socket.loopback) {
        throw failed(
          'The database asks for the password in a way that only TLS makes safe, over a connection without it.',
        );
      }
    }
    if (code === authentication.cleartext) {
      access.socket.write(passwordMessage(password(access)));
    } else if (code === authentication.md5) {
      access.socket.write(passwordMessage(md5Password(access, rest)));
    } else if (code === authentication.sasl && !scram) {
      const { client, mechanism } = chooseScram(access, rest);
      scram = client;
      access.socket.write(saslInitialResponse(mechanism, scram.first()));
    } else if (code === authentication.saslContinue && scram) {
      const client = scram;
      access.socket.write(saslResponse(await scramStep(() => client.final(rest.toString('utf8'), password(access)))));
    } else if (code === authentication.saslFinal && scram) {
      const client = scram;
      await scramStep(() => client.verify(rest.toString('utf8')));
      proven = true;
    } else {
      throw failed(`The database asks for an authentication method (${code}) that the gateway does not have.`);
    }
  }
  throw protocol('never finished its authentication');
}

async function scramStep<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof ScramError) {
      throw new CoreError('upstream_login', 'upstream', 'The database failed to prove its identity.', { cause: error });
    }
    throw error;
  }
}

function chooseScram(access: UpstreamAccess, offered: Buffer): { client: ScramClient; mechanism: string } {
  const mechanisms = offered.toString('latin1').split('\0').filter(Boolean);
  const endPoint = access.socket.channelBinding();
  if (endPoint && mechanisms.includes('SCRAM-SHA-256-PLUS')) {
    const binding: Binding = { kind: 'tls-server-end-point', data: endPoint };
    return { client: new ScramClient(binding, derivedKeys), mechanism: 'SCRAM-SHA-256-PLUS' };
  }
  if (!mechanisms.includes('SCRAM-SHA-256'))
    throw failed('The database offers no SASL mechanism that the gateway has.');
  const unbound: Binding = { kind: endPoint ? 'unused' : 'none' };
  return { client: new ScramClient(unbound, derivedKeys), mechanism: 'SCRAM-SHA-256' };
}

async function afterAuthentication(reader: MessageReader): Promise<LoggedIn> {
  const parameters = new Map<string, string>();
  let pid = 0;
  let secret: Buffer = Buffer.alloc(0);
  for (let count = 0; count < maxLoginMessages; count++) {
    const { type, frame } = await reader.message();
    if (type === server.parameterStatus) {
      const { name, value } = readParameterStatus(frame);
      parameters.set(name, value);
    } else if (type === server.backendKey) {
      const body = new ByteReader(frame, 5);
      pid = body.int32();
      // Not one of the pool's: it is kept as long as the session, and would keep a whole slab.
      secret = Buffer.alloc(body.left);
      secret.set(body.bytes(body.left));
    } else if (type === server.readyForQuery) {
      readStatus(frame);
      requireSafeLexing(parameters);
      return { parameters, pid, secret, rest: reader.leave() };
    } else if (type === server.error) {
      throw rejected(frame);
    } else if (type !== server.notice) {
      throw protocol('sent an unexpected message after authentication');
    }
  }
  throw protocol('never became ready');
}

/** The server must read a statement's characters and strings exactly as the gateway's parser does. */
function requireSafeLexing(parameters: ReadonlyMap<string, string>): void {
  if (parameters.get('client_encoding') !== 'UTF8' || parameters.get('standard_conforming_strings') !== 'on') {
    throw failed(
      'The database refuses UTF8 or standard_conforming_strings, without which statements cannot be judged.',
    );
  }
}

function md5Password(access: UpstreamAccess, salt: Buffer): string {
  if (salt.length !== 4) throw protocol('sent an MD5 salt of the wrong size');
  const inner = md5(Buffer.from(password(access) + access.credential.username, 'utf8'));
  return `md5${md5(Buffer.concat([Buffer.from(inner, 'latin1'), salt]))}`;
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

function password(access: UpstreamAccess): string {
  const { password } = access.credential.secrets;
  if (!password) throw failed('The database asks for a password, and the target has none configured.');
  return password.reveal();
}

/** The server's own words go to the log only: they may name users, hosts or rules that are not the client's business. */
function rejected(frame: Buffer): CoreError {
  const fields = readFields(frame);
  const code = fields.get('C') ?? '';
  return new CoreError(
    'upstream_login',
    'upstream',
    `The database refused the gateway's login (SQLSTATE ${code.replace(/[^0-9A-Z]/g, '')}).`,
    {
      detail: `upstream refused login: ${code} ${fields.get('M') ?? ''}`,
    },
  );
}

function failed(text: string): CoreError {
  return new CoreError('upstream_login', 'upstream', text);
}

function protocol(what: string): CoreError {
  return new CoreError(
    'upstream_protocol',
    'upstream',
    `The database does not speak the PostgreSQL protocol as expected: it ${what}.`,
  );
}
