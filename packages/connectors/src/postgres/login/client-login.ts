/** From an accepted connection to a proven principal: encryption, startup packet, proof of identity. */
import type { Admission } from '@sluice/core/contract/connector.ts';
import { unauthenticated } from '@sluice/core/contract/identity.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { ScramError, ScramServer } from '../../wire/scram.ts';
import { authentication, client } from '../protocol/codes.ts';
import { authenticationRequest, authenticationSasl, negotiateVersion } from '../protocol/messages.ts';
import type { StartupPacket } from '../protocol/startup.ts';
import type { MessageReader } from './message-reader.ts';
import { Refusal } from './refusal.ts';
import { readStartupParameters, type StartupParameters } from './startup-parameters.ts';

/** Newest minor version of protocol 3 that we speak. */
const newestMinor = 2;

export type Hello =
  | { readonly kind: 'cancel'; readonly pid: number; readonly secret: Buffer }
  | { readonly kind: 'login'; readonly minor: number; readonly parameters: StartupParameters & { readonly ok: true } };

/** The alert-level first byte of a TLS record: the client starts TLS without asking (direct TLS, PostgreSQL 17). */
const tlsHandshakeRecord = 0x16;

export async function readHello(link: ClientLink, reader: MessageReader): Promise<Hello> {
  let asked = false;
  if ((await reader.peek()) === tlsHandshakeRecord) {
    if (!link.canTls) throw new CoreError('client_protocol', 'client', 'TLS is not configured on this gateway.');
    // PostgreSQL requires ALPN here, so that no other protocol's TLS client can be led to this port.
    await link.startTls({ alpn: ['postgresql'], unread: reader.take() });
    asked = true;
  }
  let gssAsked = false;
  for (;;) {
    const packet = await reader.startup();
    if (packet.kind === 'ssl' && !asked) {
      asked = true;
      await answerSsl(link, reader);
    } else if (packet.kind === 'gss' && !gssAsked && !link.secure) {
      gssAsked = true;
      refusePlaintextBehind(reader);
      link.write(Buffer.from('N'));
    } else {
      return helloOf(packet, link);
    }
  }
}

async function answerSsl(link: ClientLink, reader: MessageReader): Promise<void> {
  refusePlaintextBehind(reader);
  link.write(Buffer.from(link.canTls ? 'S' : 'N'));
  if (link.canTls) await link.startTls({ alpn: ['postgresql'] });
}

/** Bytes that came before TLS was up could be an attacker's, spoken in the client's name (CVE-2021-23214). */
function refusePlaintextBehind(reader: MessageReader): void {
  if (reader.buffered > 0) {
    throw new CoreError('client_protocol', 'client', 'Received unencrypted data after a request for encryption.');
  }
}

function helloOf(packet: StartupPacket, link: ClientLink): Hello {
  switch (packet.kind) {
    case 'cancel':
      return packet;
    case 'startup':
      break;
    case 'unknown':
      throw new Refusal({
        severity: 'FATAL',
        code: '0A000',
        message: `unsupported frontend protocol ${packet.version >>> 16}.${packet.version & 0xffff}: the gateway speaks 3.0 to 3.${newestMinor}`,
      });
    default:
      throw new CoreError('client_protocol', 'client', 'Encryption was asked for twice.');
  }
  const parameters = readStartupParameters(packet.parameters);
  if (!parameters.ok) throw new Refusal(parameters.problem);
  if (packet.minor > newestMinor || parameters.unknownOptions.length > 0) {
    link.write(negotiateVersion(Math.min(packet.minor, newestMinor), parameters.unknownOptions));
  }
  return { kind: 'login', minor: Math.min(packet.minor, newestMinor), parameters };
}

/** Resolves with the proven principal, or rejects with the one uniform refusal. */
export async function proveIdentity(
  link: ClientLink,
  reader: MessageReader,
  admission: Admission,
  parameters: { readonly user: string; readonly database: string },
): Promise<Principal> {
  if (!link.secure && !link.loopback && link.canTls) {
    throw new Refusal({
      severity: 'FATAL',
      code: '28000',
      message: 'this gateway accepts encrypted connections only',
      hint: 'Connect with sslmode=require or stricter.',
    });
  }
  if (admission.identity.isCredentialId(parameters.user)) return scram(link, reader, admission, parameters);
  if (!link.secure && !link.loopback) {
    throw new Refusal({
      severity: 'FATAL',
      code: '28000',
      message: 'a token may be sent over TLS only, and this gateway has no certificate',
      hint: 'Use an access credential, or ask the operator to configure `tls`.',
    });
  }
  link.write(authenticationRequest(authentication.cleartext));
  const body = await passwordBody(reader);
  return admission.identity.bearer(new Redacted(new ByteReader(body).cstring()));
}

async function scram(
  link: ClientLink,
  reader: MessageReader,
  admission: Admission,
  { user, database }: { readonly user: string; readonly database: string },
): Promise<Principal> {
  const endPoint = link.channelBinding();
  link.write(authenticationSasl(endPoint ? ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] : ['SCRAM-SHA-256']));
  const initial = new ByteReader(await passwordBody(reader));
  const mechanism = initial.cstring();
  if (mechanism !== 'SCRAM-SHA-256' && !(mechanism === 'SCRAM-SHA-256-PLUS' && endPoint)) {
    throw new CoreError('client_protocol', 'client', 'The client chose a SASL mechanism that was not offered.');
  }
  const length = initial.int32();
  const exchange = new ScramServer(await admission.identity.scramVerifier(user), mechanism, endPoint);
  try {
    const first = exchange.first(initial.bytes(length).toString('utf8'));
    link.write(authenticationRequest(authentication.saslContinue, Buffer.from(first)));
    const final = exchange.final((await passwordBody(reader)).toString('utf8'));
    const principal = await admission.identity.redeem(user, database);
    link.write(authenticationRequest(authentication.saslFinal, Buffer.from(final)));
    return principal;
  } catch (error) {
    throw error instanceof ScramError ? unauthenticated(error) : error;
  }
}

async function passwordBody(reader: MessageReader): Promise<Buffer> {
  const { type, frame } = await reader.message();
  if (type !== client.password)
    throw new CoreError('client_protocol', 'client', 'Expected the answer to an authentication request.');
  return frame.subarray(5);
}
