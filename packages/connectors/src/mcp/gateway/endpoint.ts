/**
 * Upstream MCP servers as targets: what happens at `/mcp/<target>`. To the client this is an MCP server with streamable
 * HTTP, to the target it is a client, and nothing of one conversation is passed on to the other unread: both sides are
 * terminated here, sessions and ids are the gateway's own, and each request is a unit that is decided with its
 * arguments. It authenticates nobody (that was done at the door) and offers no tools of its own (`front` does).
 */
import { randomBytes } from 'node:crypto';
import type { ConnectorPorts, Opening } from '@sluice/core/contract/connector.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { HttpExchange, HttpHeader } from '../../wire/http/exchange.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { JsonError, parseStrictJson } from '../../wire/json/strict-json.ts';
import { OwnCredential } from '../../wire/own-credential.ts';
import type { Visit } from '../exchange.ts';
import {
  isObject,
  type Message,
  messageJson,
  NotAMessage,
  type Request,
  type RequestId,
  type RpcError,
  readMessage,
  rpcCodes,
} from '../jsonrpc/message.ts';
import { answerJson, header } from '../reply.ts';
import { Conversation, longestCall, mostAtOnce } from './conversation.ts';
import { Member } from './member.ts';
import { openPeer } from './open-peer.ts';
import { type PeerEvents, type PeerInfo, protocolVersions } from './peer.ts';
import { rpcErrorOf, serverErrorCode } from './refusal.ts';
import { readRunContext } from './run-context.ts';
import { visibleText } from './visible-text.ts';

const sessionField = 'mcp-session-id';
/** Sessions of one principal at one target, and of all. */
const mostOfOne = 32;
const mostOfAll = 4_096;
const depth = 64;
/** Requests of a target that are recorded, in one session. */
const mostRefused = 100;
const ownCredential = 'the credential of the gateway, in what the target says';
/** The official libraries' code for a session that is not there (any more), with HTTP status 404. */
const noSession: RpcError = { code: -32001, message: 'There is no such session. Initialize a new one.' };

export class UpstreamEndpoint {
  readonly #ports: ConnectorPorts;
  readonly #members = new Map<string, Member>();
  /** Sessions that are being opened, by whose they will be. */
  readonly #opening = new Map<string, number>();

  constructor(ports: ConnectorPorts) {
    this.#ports = ports;
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
  async #first({ exchange, who, admission }: Visit, target: string, message: Message): Promise<void> {
    const id = message.kind === 'request' ? message.id : undefined;
    if (message.kind !== 'request' || message.method !== 'initialize') {
      // Clients of later revisions try theirs first, and take this for a server of an earlier one.
      const code =
        message.kind === 'request' && message.method.startsWith('server/')
          ? rpcCodes.methodNotFound
          : rpcCodes.invalidRequest;
      return this.#tell(exchange, 400, { code, message: 'Initialize a session first (Mcp-Session-Id).' }, id);
    }
    const whose = `${target}\n${who.principal.id}`;
    if (this.#countOf(whose, who, target) >= mostOfOne || this.#members.size >= mostOfAll) {
      return this.#tell(exchange, 429, { code: serverErrorCode, message: 'Too many sessions: end some first.' }, id);
    }
    this.#opening.set(whose, (this.#opening.get(whose) ?? 0) + 1);
    try {
      await this.#open({ exchange, who, admission }, target, message);
    } catch (error) {
      if (!(error instanceof SluiceError))
        this.#ports.log.error({ target, err: error }, 'an MCP session was not opened');
      const unknown = error instanceof CoreError && error.code === 'unknown_target';
      await this.#tell(exchange, unknown ? 404 : 200, rpcErrorOf(error), id);
    } finally {
      const left = (this.#opening.get(whose) ?? 1) - 1;
      if (left > 0) this.#opening.set(whose, left);
      else this.#opening.delete(whose);
    }
  }

  async #open({ exchange, who, admission }: Visit, target: string, request: Request): Promise<void> {
    const { params } = request;
    const version = agreedVersion(params);
    const application = applicationOf(params);
    const run = readRunContext(exchange.headers, params);
    const opening: Opening = {
      principal: who.principal,
      target,
      ...(who.credential === undefined ? {} : { credential: who.credential }),
      ...(application === '' ? {} : { application }),
      ...(run === undefined ? {} : { run }),
      resend: true,
      onHold: () => {},
      gone: new Promise((resolve) => {
        if (exchange.gone.aborted) resolve();
        exchange.gone.addEventListener('abort', () => resolve(), { once: true });
      }),
    };
    const session = await admission.open(opening);
    let member: Member | undefined;
    let over: string | undefined;
    session.onEnd((_reason, message) => {
      over = message;
      member?.end(message);
    });
    const { clock, limits, dialAside } = this.#ports;
    const events = this.#events(session, () => member);
    // Servers tell of their environment, and of the headers they were sent.
    const own = new OwnCredential(session.upstream.credential, () => member?.conversation.dropped(ownCredential));
    try {
      const parse = (bytes: Uint8Array): Json => own.json(this.#targetJson(bytes));
      const most = limits.messageBytes;
      const { peer, info } = await openPeer({
        session,
        events,
        clock,
        most,
        atOnce: mostAtOnce,
        longest: longestCall,
        dialAside,
        parse,
      });
      const conversation = new Conversation({
        session,
        peer,
        ports: this.#ports,
        own,
        parse: (text) => this.#targetJson(text),
      });
      const id = randomBytes(24).toString('base64url');
      const close = (): void => {
        this.#members.delete(id);
        peer.close();
      };
      member = new Member({ id, who, version, session, conversation, clock, over: close });
      this.#members.set(id, member);
      if (over !== undefined) member.end(over);
      if (exchange.gone.aborted) member.leave();
      const result = initializeResult(version, target, info);
      await answerJson(exchange, 200, messageJson({ kind: 'result', id: request.id, result }), [[sessionField, id]]);
    } catch (error) {
      session.end('upstream_closed', error instanceof Error ? error : undefined);
      throw error;
    }
  }

  #events(session: Member['session'], member: () => Member | undefined): PeerEvents {
    let refused = 0;
    return {
      onNotification: (notification) => {
        const shown = member()?.conversation.fromTarget(notification);
        return shown && member()?.tell(shown);
      },
      onRequest: ({ id, method }) => {
        if (method === 'ping') return { kind: 'result', id, result: {} };
        // Sampling, elicitation, roots: a target has no business with the client's model, its user or its files.
        if (++refused <= mostRefused)
          session.refuse('request of the target', visibleText(method, 128), 'A target may ask a client nothing.');
        else member()?.conversation.dropped('more requests of the target than are recorded one by one');
        return { kind: 'error', id, error: { code: rpcCodes.methodNotFound, message: 'Method not found' } };
      },
      onNonsense: (what) => {
        member()?.conversation.dropped(what);
      },
      onLost: (error) => {
        member()?.end('The target is gone. Initialize a new session.');
        session.end('upstream_closed', error);
      },
    };
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

  /** What a target says may have numbers of any size; those that no reader keeps come as text, digit by digit. */
  #targetJson(source: Uint8Array | string): Json {
    const bytes = this.#ports.limits.messageBytes;
    return parseStrictJson(source, { bytes, depth, inexact: () => {}, loneSurrogates: 'keep' });
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

  #countOf(whose: string, who: Visit['who'], target: string): number {
    let count = this.#opening.get(whose) ?? 0;
    for (const member of this.#members.values()) {
      const { principal, target: at } = member.session.info;
      if (principal.id === who.principal.id && at.name === target) count++;
    }
    return count;
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

/** MCP "Version Negotiation": what the client asks for, or the newest that is spoken here. */
function agreedVersion({ protocolVersion }: JsonObject): string {
  if (typeof protocolVersion !== 'string') {
    throw new NotAMessage('Invalid params: protocolVersion is a text.', undefined, rpcCodes.invalidParams);
  }
  return protocolVersions.includes(protocolVersion) ? protocolVersion : (protocolVersions[0] ?? '');
}

function applicationOf({ clientInfo }: JsonObject): string {
  const { name, version } = isObject(clientInfo) ? clientInfo : {};
  const called = typeof name === 'string' ? visibleText(name, 64) : '';
  return called !== '' && typeof version === 'string' ? `${called}/${visibleText(version, 32)}` : called;
}

/** Of what the target can do, that which is understood here. Its instructions to models are nobody's decision, and stay behind. */
function initializeResult(version: string, target: string, info: PeerInfo): JsonObject {
  const { tools, resources, prompts, completions, logging } = info.capabilities;
  const changes = (capability: Json | undefined): JsonObject =>
    isObject(capability) && capability['listChanged'] === true ? { listChanged: true } : {};
  const subscribe = isObject(resources) && resources['subscribe'] === true ? { subscribe: true } : {};
  return {
    protocolVersion: version,
    capabilities: {
      ...(isObject(tools) ? { tools: changes(tools) } : {}),
      ...(isObject(resources) ? { resources: { ...subscribe, ...changes(resources) } } : {}),
      ...(isObject(prompts) ? { prompts: changes(prompts) } : {}),
      ...(isObject(completions) ? { completions: {} } : {}),
      ...(isObject(logging) ? { logging: {} } : {}),
    },
    serverInfo: { name: target, version: info.release || '0' },
  };
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
