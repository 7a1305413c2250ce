/**
 * JSON-RPC 2.0 as MCP uses it: what a message is, read from a parsed document and written back. Every member is known or
 * the message is none; there are no batches (MCP took them out in 2025-06-18), and an id is never null. It knows no method
 * and keeps no state: which answer belongs to which request is `calls.ts`, how bytes become documents is not in here.
 */
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';

export type RequestId = string | number;

export interface Request {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
}

export interface Notification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject;
}

export interface Result {
  readonly kind: 'result';
  readonly id: RequestId;
  readonly result: JsonObject;
}

export interface Failure {
  readonly kind: 'error';
  /** Absent where the other side could not tell which request it was. */
  readonly id?: RequestId;
  readonly error: RpcError;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}

export type Message = Request | Notification | Result | Failure;

/** Codes of JSON-RPC 2.0 section 5.1. */
export const rpcCodes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
} as const;

/** Longest id of the form of a text, and longest method; characters. */
const longestId = 128;
const longestMethod = 128;

/** What stands in the way of understanding a document as a message; `id` is there where it could still be read. */
export class NotAMessage extends CoreError {
  readonly rpcCode: number;
  readonly id: RequestId | undefined;

  constructor(text: string, id?: RequestId, rpcCode: number = rpcCodes.invalidRequest) {
    super('client_protocol', 'client', text);
    this.rpcCode = rpcCode;
    this.id = id;
  }
}

/** Throws `NotAMessage` for whatever is not exactly one message. */
export function readMessage(document: Json): Message {
  if (Array.isArray(document)) throw new NotAMessage('Batches are not taken: send each message by itself.');
  if (!isObject(document)) throw new NotAMessage('A JSON-RPC message is an object.');
  const id = document['id'];
  const known = isId(id) ? id : undefined;
  const fail = (text: string): never => {
    throw new NotAMessage(text, known);
  };
  if (document['jsonrpc'] !== '2.0') fail('A JSON-RPC message has "jsonrpc": "2.0".');
  if (id !== undefined && known === undefined) fail('The id is a whole number or a text of at most 128 characters.');
  if (document['method'] !== undefined) return readCall(document, known, fail);
  if (Object.hasOwn(document, 'error')) {
    only(document, ['jsonrpc', 'id', 'error'], fail);
    const error = readError(document['error'], fail);
    return known === undefined ? { kind: 'error', error } : { kind: 'error', id: known, error };
  }
  only(document, ['jsonrpc', 'id', 'result'], fail);
  const { result } = document;
  if (known === undefined) return fail('An answer has the id of its request.');
  if (!isObject(result)) return fail('A result is an object.');
  return { kind: 'result', id: known, result };
}

function readCall(document: JsonObject, id: RequestId | undefined, fail: (text: string) => never): Message {
  only(document, ['jsonrpc', 'id', 'method', 'params'], fail);
  const { method, params = {} } = document;
  if (typeof method !== 'string' || method === '' || method.length > longestMethod) {
    return fail('The method is a text of at most 128 characters.');
  }
  if (!isObject(params)) return fail('The params are an object.');
  return id === undefined ? { kind: 'notification', method, params } : { kind: 'request', id, method, params };
}

function readError(error: Json | undefined, fail: (text: string) => never): RpcError {
  if (!isObject(error)) return fail('An error is an object.');
  only(error, ['code', 'message', 'data'], fail);
  const { code, message, data } = error;
  if (typeof code !== 'number' || !Number.isSafeInteger(code)) return fail('The code of an error is a whole number.');
  if (typeof message !== 'string') return fail('The message of an error is a text.');
  return data === undefined ? { code, message } : { code, message, data };
}

function only(object: JsonObject, names: readonly string[], fail: (text: string) => never): void {
  // A name is not repeated: it may be anything, and the text goes back to the client.
  if (Object.keys(object).some((name) => !names.includes(name))) fail('The message has a member that is not known.');
}

function isId(id: Json | undefined): id is RequestId {
  return typeof id === 'string' ? id.length <= longestId : typeof id === 'number' && Number.isSafeInteger(id);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message as a document. */
export function messageJson(message: Message): JsonObject {
  switch (message.kind) {
    case 'request':
      return { jsonrpc: '2.0', id: message.id, method: message.method, params: message.params };
    case 'notification':
      return { jsonrpc: '2.0', method: message.method, params: message.params };
    case 'result':
      return { jsonrpc: '2.0', id: message.id, result: message.result };
    case 'error': {
      const { code, message: text, data } = message.error;
      const error = data === undefined ? { code, message: text } : { code, message: text, data };
      return { jsonrpc: '2.0', id: message.id ?? null, error };
    }
  }
}

/** The one text that a message is sent as. */
export function writeMessage(message: Message): string {
  return JSON.stringify(messageJson(message));
}
