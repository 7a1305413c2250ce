/**
 * What `ssh2` does not let its users do, in one place: say why a connection ends, see what it would pass over in
 * silence, refuse data beyond the window, know how much waits to be sent. It reaches into the library's own objects,
 * whose version is fixed; if they are not as expected, no connection is served. It decides nothing.
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Client, Connection } from 'ssh2';

/** Message numbers (RFC 4250 section 4.1). */
export const message = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  serviceRequest: 5,
  extInfo: 7,
  kexFirst: 20,
  kexLast: 49,
  userauthRequest: 50,
  userauthInfoResponse: 61,
  globalRequest: 80,
  channelOpen: 90,
  channelRequest: 98,
} as const;

/** Reasons for a disconnect (RFC 4253 section 11.1). */
export const disconnect = {
  protocolError: 2,
  serviceNotAvailable: 7,
  byApplication: 11,
  noMoreAuthMethods: 14,
} as const;

/** What a request is made to: a session that has not started anything, one that has, or no session. */
export type RequestedChannel = 'fresh' | 'started' | 'other';

interface ChannelState {
  readonly incoming?: { window: number; readonly state: string };
  readonly outgoing?: { readonly id: number; window: number; readonly packetSize: number; readonly state: string };
  readonly _channel?: ChannelState;
  /** Only `session` channels of a server have it. */
  readonly _chanInfo?: { readonly outgoing: { readonly id: number } };
}

interface Handlers {
  CHANNEL_OPEN(proto: unknown, info: { readonly type?: string; readonly packetSize?: number }): unknown;
  CHANNEL_REQUEST(proto: Proto, recipient: number, type: string, wantReply: boolean, data: unknown): unknown;
  CHANNEL_DATA(proto: unknown, recipient: number, data: Buffer): unknown;
  CHANNEL_EXTENDED_DATA(proto: unknown, recipient: number, data: Buffer, type: number): unknown;
  CHANNEL_WINDOW_ADJUST(proto: unknown, recipient: number, amount: number): unknown;
  GLOBAL_REQUEST(proto: unknown, name: string, wantReply: boolean, data: unknown): unknown;
}

interface Proto {
  _onPayload: (payload: Buffer) => unknown;
  readonly _handlers: Handlers;
  readonly _packetRW: {
    readonly write: {
      readonly allocStartKEX: number;
      alloc(size: number, force: boolean): Buffer;
      finalize(packet: Buffer, force: boolean): Buffer;
    };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
  /** Packets that wait for the end of a key exchange. */
  readonly _queue: readonly unknown[] | undefined;
  readonly _kexinit: unknown;
  disconnect(reason: number): void;
  channelFailure(id: number): void;
  signal(id: number, name: string): void;
  channelOpenFail(recipient: number, reason: number, description?: string): void;
}

interface Inside {
  readonly _protocol: Proto;
  readonly _chanMgr: {
    get(id: number): ChannelState | (() => void) | true | undefined;
    readonly _channels?: Readonly<Record<string, unknown>>;
  };
}

export type Ssh2Connection = Client | Connection;

function inside(connection: Ssh2Connection): Inside {
  const its = connection as unknown as Partial<Inside>;
  const { _protocol: proto, _chanMgr: channels } = its;
  const known =
    typeof proto?._onPayload === 'function' &&
    typeof proto.disconnect === 'function' &&
    typeof proto._packetRW?.write.alloc === 'function' &&
    typeof proto._packetRW.write.finalize === 'function' &&
    typeof proto._packetRW.write.allocStartKEX === 'number' &&
    typeof proto._cipher?.encrypt === 'function' &&
    typeof proto._handlers?.CHANNEL_DATA === 'function' &&
    typeof proto._handlers.CHANNEL_REQUEST === 'function' &&
    typeof proto._handlers.CHANNEL_OPEN === 'function' &&
    typeof proto._handlers.CHANNEL_EXTENDED_DATA === 'function' &&
    typeof proto._handlers.CHANNEL_WINDOW_ADJUST === 'function' &&
    typeof proto._handlers.GLOBAL_REQUEST === 'function' &&
    typeof channels?.get === 'function';
  if (!known || proto === undefined || channels === undefined) {
    throw new CoreError('internal', 'gateway', 'The gateway cannot serve this protocol; its log says more.', {
      detail: 'ssh2 is not the version that this connector knows',
    });
  }
  return { _protocol: proto, _chanMgr: channels };
}

/** Sees every payload once keys are in use. False: it goes no further. */
export function watchPayloads(connection: Ssh2Connection, see: (type: number, payload: Buffer) => boolean): void {
  const { _protocol: proto } = inside(connection);
  const pass = proto._onPayload;
  // Ciphers take this function over when keys come into use, so this is early enough: nothing is encrypted yet.
  proto._onPayload = (payload) => (see(payload[0] ?? 0, payload) ? pass(payload) : undefined);
}

/** Bytes that may wait for the other side to read before no more is read from it; what channels send waits for less. */
const mostUnread = 2 * 1024 * 1024;

/** Whoever asks and does not read the answers is not asked on: the library would keep any number of them. */
export function boundAnswers(connection: Ssh2Connection, stream: Duplex): void {
  let full = false;
  watchPayloads(connection, () => {
    if (full || stream.writableLength <= mostUnread) return true;
    full = true;
    stream.pause();
    stream.once('drain', () => {
      full = false;
      stream.resume();
    });
    return true;
  });
}

export interface ChannelWatch {
  /** A channel is asked for. The library then asks its user, or refuses what it does not know. */
  opens?(type: string): void;
  /** Something is asked of a channel; false: it is refused and goes no further. */
  requests?(type: string, state: RequestedChannel): boolean;
  /** Something is asked of the connection; `pass` hands it to the library, now or later, but in order. */
  global?(name: string, wantReply: boolean, pass: () => void): void;
  /** Something that the library would let pass. */
  violated(why: string): void;
  /** The other side made room. */
  roomMade?(): void;
}

export function watchChannels(connection: Ssh2Connection, watch: ChannelWatch): void {
  const { _protocol: proto, _chanMgr: channels } = inside(connection);
  const handlers = proto._handlers;
  const { CHANNEL_OPEN, CHANNEL_REQUEST, CHANNEL_DATA, CHANNEL_EXTENDED_DATA, CHANNEL_WINDOW_ADJUST, GLOBAL_REQUEST } =
    handlers;
  const fits = (recipient: number, length: number): boolean => {
    const found = channels.get(recipient);
    if (typeof found !== 'object') return true;
    const { incoming } = found._channel ?? found;
    if (incoming === undefined || length <= incoming.window) return true;
    // RFC 4254 section 5.2: the window is the most that may be sent.
    watch.violated('more data than the window allows');
    return false;
  };
  handlers.CHANNEL_OPEN = (self, info) => {
    // The library takes a message that ends before its fields do.
    if (info.type === undefined || info.packetSize === undefined) {
      watch.violated('a message that is cut short');
      return undefined;
    }
    watch.opens?.(info.type);
    return CHANNEL_OPEN(self, info);
  };
  handlers.CHANNEL_REQUEST = (self, recipient, type, wantReply, data) => {
    const found = channels.get(recipient);
    const session = typeof found === 'object' && found._chanInfo ? found : undefined;
    const state = session ? (session._channel ? 'started' : 'fresh') : 'other';
    if (watch.requests?.(type, state) !== false) return CHANNEL_REQUEST(self, recipient, type, wantReply, data);
    // The library answers nothing where something has started.
    const id = session?._chanInfo?.outgoing.id ?? (typeof found === 'object' ? found.outgoing?.id : undefined);
    if (wantReply && id !== undefined) self.channelFailure(id);
    return undefined;
  };
  handlers.CHANNEL_DATA = (self, recipient, data) =>
    fits(recipient, data.length) ? CHANNEL_DATA(self, recipient, data) : undefined;
  handlers.CHANNEL_EXTENDED_DATA = (self, recipient, data, type) =>
    fits(recipient, data.length) ? CHANNEL_EXTENDED_DATA(self, recipient, data, type) : undefined;
  handlers.CHANNEL_WINDOW_ADJUST = (self, recipient, amount) => {
    const done = CHANNEL_WINDOW_ADJUST(self, recipient, amount);
    watch.roomMade?.();
    return done;
  };
  handlers.GLOBAL_REQUEST = (self, name, wantReply, data) => {
    const pass = (): void => void GLOBAL_REQUEST(self, name, wantReply, data);
    if (watch.global) watch.global(name, wantReply, pass);
    else pass();
  };
}

/** Refuses a channel with words (RFC 4254 section 5.1, SSH_OPEN_ADMINISTRATIVELY_PROHIBITED), which the library has none for. */
export function refuseChannel(connection: Ssh2Connection, reject: () => void, words: string): void {
  const { _protocol: proto } = inside(connection);
  const own = proto.channelOpenFail;
  proto.channelOpenFail = (recipient) => own.call(proto, recipient, 1, words);
  try {
    reject();
  } finally {
    proto.channelOpenFail = own;
  }
}

/** Makes the library's own disconnects say why, too. */
export function explainDisconnects(connection: Ssh2Connection, words: (reason: number) => string): void {
  const { _protocol: proto } = inside(connection);
  proto.disconnect = (reason) => writeDisconnect(proto, reason, words(reason));
}

/** SSH_MSG_DISCONNECT (RFC 4253 section 11.1) with a description, which the library leaves empty. */
export function sayGoodbye(connection: Ssh2Connection, reason: number, words: string): void {
  writeDisconnect(inside(connection)._protocol, reason, words);
}

function writeDisconnect(proto: Proto, reason: number, words: string): void {
  const text = Buffer.from(words);
  const payload = Buffer.alloc(1 + 4 + 4 + text.length + 4);
  payload[0] = message.disconnect;
  payload.writeUInt32BE(reason, 1);
  payload.writeUInt32BE(text.length, 5);
  text.copy(payload, 9);
  writePayload(proto, payload);
}

/** Packets that wait in the library because the other side does not finish a key exchange. */
export function packetsWaiting(connection: Ssh2Connection): number {
  return inside(connection)._protocol._queue?.length ?? 0;
}

/** Sends a payload as it is, also in the middle of a key exchange. */
export function sendPayload(connection: Ssh2Connection, payload: Buffer): void {
  writePayload(inside(connection)._protocol, payload);
}

function writePayload(proto: Proto, payload: Buffer): void {
  const { write } = proto._packetRW;
  const packet = write.alloc(payload.length, true);
  payload.copy(packet, write.allocStartKEX);
  proto._cipher.encrypt(write.finalize(packet, true));
}

/**
 * A signal for what runs on the channel (RFC 4254 section 6.9). The library sends none once the channel's input has
 * ended, which is when most programs run.
 */
export function sendSignal(connection: Ssh2Connection, channel: unknown, name: string): void {
  const { outgoing } = channel as ChannelState;
  if (outgoing && (outgoing.state === 'open' || outgoing.state === 'eof')) {
    inside(connection)._protocol.signal(outgoing.id, name);
  }
}

/**
 * As `sendSignal`, on each channel that is open. A server takes requests in their order, so that a program which was asked
 * for is stopped also where the answer to that is still on its way.
 */
export function sendSignalToAll(connection: Ssh2Connection, name: string): void {
  const { _chanMgr: channels } = connection as unknown as Partial<Inside>;
  for (const channel of Object.values(channels?._channels ?? {})) {
    if (typeof channel === 'object' && channel !== null) sendSignal(connection, channel, name);
  }
}

/** Bytes that may be sent on the channel before its other side makes room, and the most that one packet may hold. */
export function roomOf(channel: unknown): { readonly window: number; readonly packet: number; readonly open: boolean } {
  const { outgoing } = channel as ChannelState;
  return { window: outgoing?.window ?? 0, packet: outgoing?.packetSize ?? 0, open: outgoing?.state === 'open' };
}
