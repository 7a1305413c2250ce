/** Messages the gateway itself says, to a client or to a server. */
import { ByteWriter } from '../../wire/byte-writer.ts';
import { authentication, client, server, type TransactionStatus } from './codes.ts';
import { writeFields } from './fields.ts';

export interface Problem {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING';
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Where in the statement, in characters from 1. */
  readonly position?: number;
  /** It is about a name in a statement; a server in a failed transaction would not have looked that up. Not sent. */
  readonly looksUp?: boolean;
}

export function problem(value: Problem): Buffer {
  const fields = new Map([
    ['S', value.severity],
    ['V', value.severity],
    ['C', value.code],
    ['M', value.message],
  ]);
  if (value.detail) fields.set('D', value.detail);
  if (value.hint) fields.set('H', value.hint);
  if (value.position) fields.set('P', String(value.position));
  const notice = value.severity === 'NOTICE' || value.severity === 'WARNING';
  return writeFields(notice ? server.notice : server.error, fields);
}

export function readyForQuery(status: TransactionStatus): Buffer {
  return Buffer.from([server.readyForQuery, 0, 0, 0, 5, status.charCodeAt(0)]);
}

export function authenticationRequest(code: number, body: Uint8Array = new Uint8Array()): Buffer {
  return message(server.authentication, (writer) => writer.int32(code).bytes(body));
}

export function authenticationSasl(mechanisms: readonly string[]): Buffer {
  return message(server.authentication, (writer) => {
    writer.int32(authentication.sasl);
    for (const mechanism of mechanisms) writer.cstring(mechanism);
    writer.uint8(0);
  });
}

export function parameterStatus(name: string, value: string): Buffer {
  return message(server.parameterStatus, (writer) => writer.cstring(name).cstring(value));
}

export function notification(pid: number, channel: string, text: string): Buffer {
  return message(server.notification, (writer) => writer.int32(pid).cstring(channel).cstring(text));
}

export function backendKeyData(pid: number, secret: Uint8Array): Buffer {
  return message(server.backendKey, (writer) => writer.int32(pid).bytes(secret));
}

/** Protocol "NegotiateProtocolVersion": the newest minor version we speak and the options we do not know. */
export function negotiateVersion(minor: number, unknown: readonly string[]): Buffer {
  return message(server.negotiateVersion, (writer) => {
    writer.int32((3 << 16) | minor).int32(unknown.length);
    for (const option of unknown) writer.cstring(option);
  });
}

export function startupMessage(parameters: ReadonlyMap<string, string>): Buffer {
  const writer = new ByteWriter().int32(0).int32(3 << 16);
  for (const [name, value] of parameters) writer.cstring(name).cstring(value);
  writer.uint8(0);
  return writer.patchInt32(0, writer.length).take();
}

export function cancelRequest(pid: number, secret: Uint8Array): Buffer {
  const writer = new ByteWriter(32)
    .int32(12 + secret.length)
    .int32(80877102)
    .int32(pid)
    .bytes(secret);
  return writer.take();
}

export function sslRequest(): Buffer {
  return new ByteWriter(8).int32(8).int32(80877103).take();
}

export function passwordMessage(password: string): Buffer {
  return message(client.password, (writer) => writer.cstring(password));
}

export function saslInitialResponse(mechanism: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return message(client.password, (writer) => writer.cstring(mechanism).int32(bytes.length).bytes(bytes));
}

export function saslResponse(text: string): Buffer {
  return message(client.password, (writer) => writer.text(text));
}

export function query(text: string): Buffer {
  return message(client.query, (writer) => writer.cstring(text));
}

export function parse(name: string, text: string): Buffer {
  return message(client.parse, (writer) => writer.cstring(name).cstring(text).int16(0));
}

export function describePortal(name: string): Buffer {
  return message(client.describe, (writer) => writer.uint8('P'.charCodeAt(0)).cstring(name));
}

export function copyFail(reason: string): Buffer {
  return message(client.copyFail, (writer) => writer.cstring(reason));
}

export const terminate: Buffer = message(client.terminate, () => {});
export const sync: Buffer = message(client.sync, () => {});
export const flush: Buffer = message(client.flush, () => {});

export function commandComplete(tag: string): Buffer {
  return message(server.commandComplete, (writer) => writer.cstring(tag));
}

/** A DataRow around a body that is already in its layout (int16 count, then int32 length and bytes per cell). */
export function dataRow(body: Uint8Array): Buffer {
  return framed(server.dataRow, body);
}

export function framed(type: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame[0] = type;
  frame.writeInt32BE(4 + body.length, 1);
  frame.set(body, 5);
  return frame;
}

function message(type: number, fill: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(64).uint8(type).int32(0);
  fill(writer);
  return writer.patchInt32(1, writer.length - 1).take();
}
