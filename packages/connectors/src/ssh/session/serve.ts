/** One client connection from its first byte to its last: keys, proof, session, the target's side, conversation. */
import type { Admission, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import ssh2, { type Connection } from 'ssh2';
import { LinkDuplex } from '../../wire/duplex.ts';
import { logClientIn, type Proven } from '../login/client-login.ts';
import type { OwnKey } from '../login/keys.ts';
import { logIn, type Upstream } from '../login/upstream-login.ts';
import { negotiable } from '../transport/algorithms.ts';
import { MeteredLink } from '../transport/metered-link.ts';
import {
  boundAnswers,
  disconnect,
  explainDisconnects,
  refuseChannel,
  sayGoodbye,
  watchChannels,
} from '../transport/wire.ts';
import { type ChannelParts, ClientChannel } from './client-channel.ts';
import { watchClient } from './client-requests.ts';
import { Pace } from './client-sink.ts';
import { Conversation } from './conversation.ts';
import { Forward } from './forward.ts';
import { Visitor } from './visitor.ts';
import { oneLine } from './words.ts';

const { Server } = ssh2;

export interface ServePorts extends ConnectorPorts, ChannelParts {
  readonly host: OwnKey;
  readonly authority: OwnKey;
}

/** Between the last words to a client and the closing of its connection; milliseconds. */
const lingering = 1_000;
const alive = { interval: 15_000, count: 3 };
/** The library takes what every implementation must (RFC 4253 section 6.1), and cannot read on behind more than that. */
const tooLong = 'a packet longer than 35000 bytes (a command may have 34000; put a longer one into a file)';

/** Resolves when the connection is closed. */
export function serve(ports: ServePorts, link: ClientLink, admission: Admission): Promise<void> {
  return new Promise((resolve) => {
    new Served(ports, link, admission, resolve).begin();
  });
}

class Served {
  readonly #ports: ServePorts;
  readonly #link: MeteredLink;
  readonly #admission: Admission;
  readonly #stream: LinkDuplex;
  readonly #gone: Promise<void>;
  #leave: () => void = () => {};
  #connection: Connection | undefined;
  #visitor: Visitor | undefined;
  #over = false;
  /** The client broke the protocol before its session was open. */
  #broken = false;
  readonly #stopClock: () => void;

  constructor(ports: ServePorts, link: ClientLink, admission: Admission, closed: () => void) {
    this.#ports = ports;
    this.#admission = admission;
    this.#gone = new Promise((resolve) => {
      this.#leave = resolve;
    });
    const tooMuch = (): void => this.#violated('login', 'too many bytes before a login');
    this.#link = new MeteredLink(link, ports.limits.preAuthBytes, tooMuch);
    this.#stopClock = ports.clock.after(ports.limits.preAuthTime, () => this.#link.destroy());
    this.#stream = new LinkDuplex(this.#link);
    this.#stream.on('error', () => undefined);
    this.#link.closed(() => {
      this.#end();
      closed();
    });
  }

  begin(): void {
    const { host } = this.#ports;
    const server = new Server({
      hostKeys: [host.privateText()],
      ident: 'Sluice',
      algorithms: negotiable(),
      keepaliveInterval: alive.interval,
      keepaliveCountMax: alive.count,
    });
    server.on('connection', (connection) => {
      try {
        this.#greet(connection);
      } catch (error) {
        this.#ports.log.error({ remote: this.#link.remote, err: error }, 'a connection cannot be served');
        this.#link.destroy();
      }
    });
    server.injectSocket(this.#stream as unknown as Parameters<typeof server.injectSocket>[0]);
  }

  #greet(connection: Connection): void {
    this.#connection = connection;
    explainDisconnects(connection, () => 'The gateway does not take this; its recording says what it was.');
    boundAnswers(connection, this.#stream);
    watchClient(connection, {
      visitor: () => this.#visitor,
      violated: (name, why) => this.#violated(name, why),
    });
    connection.on('error', (error) => this.#failed(error));
    connection.on('end', () => this.#stream.destroy());
    const grounds = {
      ports: this.#ports,
      admission: this.#admission,
      authority: this.#ports.authority,
      remote: this.#link.remote,
      giveUp: (words: string) => this.#goodbye(disconnect.noMoreAuthMethods, words),
    };
    logClientIn(connection, grounds, (who, accept) => {
      if (!this.#over) this.#welcome(connection, who, accept);
    });
  }

  #welcome(connection: Connection, who: Proven, accept: () => void): void {
    this.#stopClock();
    this.#link.trust();
    const pace = new Pace(connection, this.#stream);
    const { clock } = this.#ports;
    const visitor = new Visitor({
      connection,
      pace,
      clock,
      terminal: who.terminal,
      goodbye: (words) => this.#goodbye(disconnect.serviceNotAvailable, words),
    });
    this.#visitor = visitor;
    this.#takeChannels(connection, visitor);
    accept();
    this.#open(visitor, pace, who).catch((error) => {
      const code = error instanceof CoreError ? error.code : 'internal';
      this.#admission.refused(code, who.principal.subject, who.target);
      this.#ports.log.info({ remote: this.#link.remote, target: who.target, err: error }, 'connection refused');
      visitor.fail(error);
    });
  }

  #takeChannels(connection: Connection, visitor: Visitor): void {
    const full = (reject: () => void, type: string): boolean => {
      if (visitor.takeChannel()) return false;
      visitor.refuse('channel', type, 'There are too many channels already.');
      refuseChannel(connection, reject, 'sluice: There are too many channels already.');
      return true;
    };
    connection.on('session', (accept, reject) => {
      if (full(reject, 'session')) return;
      new ClientChannel(visitor, accept(), this.#ports);
    });
    connection.on('tcpip', (accept, reject, info) => {
      if (!full(reject, 'direct-tcpip')) new Forward(visitor, accept, reject).ask(info);
    });
    // Without a listener the library does not heed `no-more-sessions`; everything else it offers here is refused.
    connection.on('request', (_accept, reject) => reject?.());
  }

  async #open(visitor: Visitor, pace: Pace, { principal, credential, target }: Proven): Promise<void> {
    const session = await this.#admission.open({
      principal,
      target,
      secure: true,
      ...(credential === undefined ? {} : { credential }),
      onHold: (notice) => visitor.hold(notice),
      gone: this.#gone,
    });
    try {
      const upstream = await this.#reach(session, target);
      if (this.#over) {
        upstream.client.end();
        visitor.settle(session);
        session.end(this.#broken ? 'protocol_error' : 'client_closed');
        return;
      }
      const conversation = new Conversation({
        ports: this.#ports,
        session,
        upstream: upstream.client,
        pace,
        goodbye: (words) => this.#goodbye(disconnect.serviceNotAvailable, words),
      });
      this.#watchTarget(upstream, conversation);
      visitor.open(conversation);
    } catch (error) {
      // Whatever it was: no session stays open that nobody serves.
      session.end('gateway_error', error instanceof Error ? error : undefined);
      throw error;
    }
  }

  async #reach(session: Session, target: string): Promise<Upstream> {
    try {
      return await logIn(session.upstream, target, this.#ports.clock);
    } catch (error) {
      session.end('upstream_closed', error instanceof Error ? error : undefined);
      throw error;
    }
  }

  #watchTarget({ client, stream }: Upstream, conversation: Conversation): void {
    const lost = (cause?: Error): void => {
      const gone = new CoreError('upstream_unreachable', 'upstream', 'The target closed the connection.', { cause });
      conversation.close('upstream_closed', gone);
      stream.destroy();
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('close', () => lost());
    watchChannels(client, {
      violated: (why) => lost(new Error(`the target sent ${why}`)),
    });
  }

  /** The library gave up, or the connection broke. */
  #failed(error: Error): void {
    if (this.#over) return;
    const { level } = error as { level?: unknown };
    const conversation = this.#visitor?.conversation;
    if (level === 'socket' || level === 'client-timeout' || 'code' in error) this.#stream.destroy();
    else if (error instanceof SluiceError && conversation) conversation.fail(error);
    // What we do in its events is guarded: what the library throws, it throws about the client's bytes.
    else this.#violated('ssh', /^Bad packet length/.test(error.message) ? tooLong : error.message);
  }

  /** The client broke the protocol: it is written down wherever there is a place for it, and the connection ends. */
  #violated(name: string, why: string): void {
    if (this.#over) return;
    const conversation = this.#visitor?.conversation;
    if (conversation) {
      conversation.guard(() => void conversation.session.refuse(name, '', why))();
      conversation.violated(`This is not taken: ${why}.`);
      return;
    }
    this.#broken = true;
    this.#visitor?.refuse(name, '', why);
    this.#admission.refused('client_protocol', '', '');
    this.#ports.log.info({ remote: this.#link.remote, why }, 'connection refused');
    this.#goodbye(
      disconnect.protocolError,
      oneLine(new CoreError('client_protocol', 'client', `This is not taken: ${why}.`)),
    );
  }

  #goodbye(reason: number, words: string): void {
    if (this.#over) return;
    this.#over = true;
    try {
      if (this.#connection) sayGoodbye(this.#connection, reason, words);
    } catch {
      // The library has given the connection up already, and said so.
    }
    this.#link.end();
    this.#ports.clock.after(lingering, () => this.#link.destroy());
  }

  #end(): void {
    this.#over = true;
    this.#stopClock();
    this.#leave();
    this.#visitor?.conversation?.close('client_closed');
    this.#stream.destroy();
  }
}
