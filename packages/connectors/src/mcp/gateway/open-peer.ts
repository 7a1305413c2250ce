import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import type { DialAside, UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { createHttpUpstream, type HttpUpstream } from '../../wire/http/upstream.ts';
import { isObject, type Result } from '../jsonrpc/message.ts';
import { Carrier } from './carrier.ts';
import { type Peer, type PeerEvents, type PeerInfo, protocolVersions } from './peer.ts';
import { HttpPeer, type SendHttp } from './peer-http.ts';
import { StdioPeer } from './peer-stdio.ts';
import { visibleText } from './visible-text.ts';

export interface OpenPeerOptions {
  readonly session: Session;
  readonly events: PeerEvents;
  readonly clock: Clock;
  /** Most bytes of one message. */
  readonly most: number;
  /** Requests at once; as many connections are opened, and some for what is said beside them. */
  readonly atOnce: number;
  /** Longest that an answer may take; milliseconds. */
  readonly longest: number;
  readonly dialAside: DialAside;
  parse(bytes: Uint8Array): Json;
}

/**
 * Takes up a session with the target: the handshake of MCP ("Lifecycle"), in which the gateway claims no capability, so
 * that no server has a reason to ask a client for anything. Rejects with a CoreError.
 */
export async function openPeer(options: OpenPeerOptions): Promise<{ readonly peer: Peer; readonly info: PeerInfo }> {
  const { session, clock } = options;
  const { peer, agreed, listen } = peerFor(options, session.upstream);
  try {
    const answer = await new Carrier(session, peer, clock).own('initialize', {
      protocolVersion: protocolVersions[0] ?? '',
      capabilities: {},
      clientInfo: { name: 'sluice', version: '1' },
    });
    if (answer.kind === 'error') throw unable(`initialize was refused with ${answer.error.code}`);
    const info = infoOf(answer);
    agreed(info.version);
    await peer.notify({ kind: 'notification', method: 'notifications/initialized', params: {} });
    listen();
    return { peer, info };
  } catch (error) {
    peer.close();
    throw error;
  }
}

function peerFor(
  options: OpenPeerOptions,
  access: UpstreamAccess,
): { readonly peer: Peer; agreed(version: string): void; listen(): void } {
  const { events, most, clock, parse, session, atOnce, longest } = options;
  if (access.address === undefined) {
    return { peer: new StdioPeer({ socket: access.socket, events, most, parse }), agreed: () => {}, listen: () => {} };
  }
  const authority = text(access, 'host') ?? access.address;
  const http = createHttpUpstream(authority, access, () => session.dial(), {
    connections: atOnce + 4,
    headBytes: 64 * 1024,
    headTime: longest,
    bodyTime: longest,
  });
  const send = sender(http, access);
  const aside = (): { readonly send: SendHttp; close(): void } => {
    const { name } = session.info.target;
    const other = createHttpUpstream(authority, undefined, () => options.dialAside(name));
    return { send: sender(other, access), close: () => other.close() };
  };
  const peer = new HttpPeer({ send, aside, events, most, clock, parse });
  return { peer, agreed: (version) => peer.agreed(version), listen: () => peer.listen() };
}

function sender(http: HttpUpstream, access: UpstreamAccess): SendHttp {
  const path = text(access, 'path') ?? '/mcp';
  const own = credentialHeaders(access);
  return (request) => http.send({ ...request, path, headers: [...request.headers, ...own] });
}

function credentialHeaders(access: UpstreamAccess): readonly HttpHeader[] {
  const { bearer, header } = access.credential.secrets;
  const name = text(access, 'header_name');
  return [
    ...(bearer ? [['authorization', `Bearer ${bearer.reveal()}`] as const] : []),
    ...(header && name !== undefined ? [[name.toLowerCase(), header.reveal()] as const] : []),
  ];
}

function text({ settings }: UpstreamAccess, key: string): string | undefined {
  const value = settings[key];
  return typeof value === 'string' ? value : undefined;
}

function infoOf({ result }: Result): PeerInfo {
  const { protocolVersion, capabilities, serverInfo } = result;
  if (typeof protocolVersion !== 'string' || !protocolVersions.includes(protocolVersion)) {
    throw unable('it speaks no revision of MCP that the gateway speaks');
  }
  if (!isObject(capabilities)) throw unable('it says nothing of its capabilities');
  const about: JsonObject = isObject(serverInfo) ? serverInfo : {};
  return {
    version: protocolVersion,
    capabilities,
    name: shown(about['name']),
    release: shown(about['version']),
  };
}

function shown(value: Json | undefined): string {
  return typeof value === 'string' ? visibleText(value, 128) : '';
}

function unable(detail: string): CoreError {
  const said = 'The target did not take up a session. Tell its operator.';
  return new CoreError('upstream_login', 'upstream', said, { detail });
}
