/**
 * Upstream MCP servers as targets: what happens at `/mcp/<target>`. To the client this is an MCP server with streamable
 * HTTP, to the target it is a client, and nothing of one conversation is passed on to the other unread: both sides are
 * terminated here, sessions and ids are the gateway's own, and each request is a unit that is decided with its
 * arguments. It authenticates nobody (that was done at the door) and offers no tools of its own (`front` does).
 */
import type { ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { Json } from '@sluice/core/domain/json.ts';
import type { HttpExchange, HttpHeader } from '../../wire/http/exchange.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { JsonError, parseStrictJson } from '../../wire/json/strict-json.ts';
import type { Visit } from '../exchange.ts';
import {
  type Message,
  messageJson,
  NotAMessage,
  type RequestId,
  type RpcError,
  readMessage,
  rpcCodes,
} from '../jsonrpc/message.ts';
import { answerJson, header } from '../reply.ts';
import type { Member } from './member.ts';
import { Members } from './members.ts';
import { rpcErrorOf, serverErrorCode } from './refusal.ts';
import { readRunContext } from './run-context.ts';
import { visibleText } from './visible-text.ts';

const sessionField = 'mcp-session-id';
const depth = 64;
/** The official libraries' code for a session that is not there (any more), with HTTP status 404. */
const noSession: RpcError = { code: -32001, message: 'There is no such session. Initialize a new one.' };

export class UpstreamEndpoint {
  readonly #ports: ConnectorPorts;
  readonly #members: Members;

  constructor(ports: ConnectorPorts) {
    this.#ports = ports;
    this.#members = new Members(ports);
  }

  /** Never rejects for anything that a client or a target sends. */
  async serve(visit: Visit, target: string): Promise<void> {
    const { exchange } = visit;
    const ids = exchange.headers.filter(([name]) => name === sessionField);
    if (ids.length > 1) return this.#refuse(exchange, 400, 'More than one Mcp-Session-Id.');
    const id = ids[0]?.[1];
    const member = id === undefined ? undefined : this.#members.get(id);
    if (id !== undefined && !member?.belongsTo(visit.who, target)) {
      if (member) visit.admission.refused('session_over', visit.who.principal.id, target);
      return this.#tell(exchange, 404, noSession);
    }
    if (!this.#versionFits(exchange, member)) {
      return this.#refuse(exchange, 400, 'The MCP-Protocol-Version is not the one that was agreed on.');
    }
    switch (exchange.method) {
      case 'POST':
        return this.#post(visit, target, member);
      case 'GET':
        if (!member) return this.#refuse(exchange, 400, 'A stream belongs to a session: initialize one.');
        if (!accepts(exchange, 'text/event-stream'))
          return this.#refuse(exchange, 406, 'Accept must have text/event-stream.');
        member.listen(exchange);
        return;
      case 'DELETE':
        if (!member) return this.#refuse(exchange, 400, 'Which session is to end?');
        member.leave();
        return exchange.answer({ status: 200, headers: [] });
      default:
        return this.#refuse(exchange, 405, 'This is POST, GET or DELETE.', [['allow', 'GET, POST, DELETE']]);
    }
  }

  async #post(visit: Visit, target: string, member: Member | undefined): Promise<void> {
    const { exchange } = visit;
    if (exchange.headers.some(([name]) => name === 'content-encoding')) {
      return this.#refuse(exchange, 415, 'The content is sent as it is, without a Content-Encoding.');
    }
    if (!isJson(exchange)) return this.#refuse(exchange, 415, 'The Content-Type is application/json.');
    if (!accepts(exchange, 'application/json') || !accepts(exchange, 'text/event-stream')) {
      return this.#refuse(exchange, 406, 'Accept must have application/json and text/event-stream.');
    }
    let message: Message;
    try {
      message = readMessage(await this.#body(exchange));
    } catch (error) {
      return this.#unreadable(exchange, member, error);
    }
    if (!member) return this.#first(visit, target, message);
    switch (message.kind) {
      case 'request': {
        if (message.method === 'initialize') {
          return this.#wrong(exchange, member, message.method, 'A session is initialized once.', message.id);
        }
        const run = readRunContext(exchange.headers, message.params);
        return member.answer(message, exchange, run);
      }
      case 'notification':
        if (member.conversation.notified(message)) return exchange.answer({ status: 202, headers: [] });
        return this.#wrong(exchange, member, message.method, 'The notification is not known here.');
      default:
        // The gateway asks clients nothing.
        return this.#wrong(exchange, member, 'response', 'Nothing was asked that this could answer.');
    }
  }

  /** Without a session there is one thing to say. */
  async #first(visit: Visit, target: string, message: Message): Promise<void> {
    const { exchange, who } = visit;
    const id = message.kind === 'request' ? message.id : undefined;
    if (message.kind !== 'request' || message.method !== 'initialize') {
      // Clients of later revisions try theirs first, and take this for a server of an earlier one.
      const code =
        message.kind === 'request' && message.method.startsWith('server/')
          ? rpcCodes.methodNotFound
          : rpcCodes.invalidRequest;
      return this.#tell(exchange, 400, { code, message: 'Initialize a session first (Mcp-Session-Id).' }, id);
    }
    if (this.#members.full(who, target)) {
      return this.#tell(exchange, 429, { code: serverErrorCode, message: 'Too many sessions: end some first.' }, id);
    }
    try {
      await this.#members.open(visit, target, message, (session, result) =>
        answerJson(exchange, 200, messageJson({ kind: 'result', id: message.id, result }), [[sessionField, session]]),
      );
    } catch (error) {
      if (!(error instanceof SluiceError))
        this.#ports.log.error({ target, err: error }, 'an MCP session was not opened');
      const unknown = error instanceof CoreError && error.code === 'unknown_target';
      await this.#tell(exchange, unknown ? 404 : 200, rpcErrorOf(error), id);
    }
  }

  async #body(exchange: HttpExchange): Promise<Json> {
    const most = this.#ports.limits.statementBytes;
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of exchange.body) {
      length += part.length;
      if (length > most) throw new HttpError('body_too_large', `A request has at most ${most} bytes.`);
      parts.push(part);
    }
    return parseStrictJson(Buffer.concat(parts), { bytes: most, depth, inexact: 'refuse' });
  }

  async #unreadable(exchange: HttpExchange, member: Member | undefined, error: unknown): Promise<void> {
    const large = error instanceof HttpError && error.code === 'body_too_large';
    const id = error instanceof NotAMessage ? error.id : undefined;
    const said = error instanceof SluiceError ? error.publicMessage : 'The request cannot be read.';
    const code =
      error instanceof JsonError
        ? rpcCodes.parse
        : error instanceof NotAMessage
          ? error.rpcCode
          : rpcCodes.invalidRequest;
    if (!(error instanceof SluiceError)) this.#ports.log.error({ err: error }, 'an MCP request cannot be read');
    if (member) this.#recordRefusal(member, 'message', '', said);
    await this.#tell(exchange, large ? 413 : 400, { code, message: said }, id);
  }

  async #wrong(exchange: HttpExchange, member: Member, name: string, why: string, id?: RequestId): Promise<void> {
    this.#recordRefusal(member, visibleText(name, 128), '', why);
    await this.#tell(exchange, 400, { code: rpcCodes.invalidRequest, message: why }, id);
  }

  #recordRefusal({ session }: Member, name: string, text: string, why: string): void {
    session.refuse(name, text, why);
    session.flush();
  }

  #versionFits(exchange: HttpExchange, member: Member | undefined): boolean {
    const given = exchange.headers.filter(([name]) => name === 'mcp-protocol-version').map(([, value]) => value);
    if (given.length === 0 || !member) return given.length <= 1;
    // MCP "Protocol Version Header"; without one, what was agreed on holds.
    return given.length === 1 && given[0] === member.version;
  }

  #refuse(exchange: HttpExchange, status: number, message: string, headers: readonly HttpHeader[] = []): Promise<void> {
    return this.#tell(exchange, status, { code: rpcCodes.invalidRequest, message }, undefined, headers);
  }

  #tell(
    exchange: HttpExchange,
    status: number,
    error: RpcError,
    id?: RequestId,
    headers: readonly HttpHeader[] = [],
  ): Promise<void> {
    const message: Message = id === undefined ? { kind: 'error', error } : { kind: 'error', id, error };
    return answerJson(exchange, status, messageJson(message), headers);
  }
}

function isJson(exchange: HttpExchange): boolean {
  return /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(header(exchange, 'content-type') ?? '');
}

function accepts(exchange: HttpExchange, type: string): boolean {
  const given = exchange.headers.filter(([name]) => name === 'accept').map(([, value]) => value.toLowerCase());
  return given.some((value) =>
    value.split(',').some((each) => {
      const range = (each.split(';')[0] ?? '').trim();
      return range === type || range === '*/*' || range === `${type.split('/')[0]}/*`;
    }),
  );
}
