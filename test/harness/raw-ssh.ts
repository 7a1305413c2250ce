/** A client of SSH that says what it is told to, message by message, whatever a client should say. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { string, uint32 } from '@sluice/connectors/ssh/login/blob.ts';
import { sendPayload, watchPayloads } from '@sluice/connectors/ssh/transport/wire.ts';
import ssh2, { type Client } from 'ssh2';

export interface Message {
  /** RFC 4250 section 4.1. */
  readonly type: number;
  readonly payload: Buffer;
}

/** Messages by which the other side ends a step. */
export const said = {
  disconnect: 1,
  failure: 51,
  success: 52,
  keyOk: 60,
  infoRequest: 60,
  requestFailure: 82,
  openFailure: 92,
} as const;

export class RawSsh {
  readonly #client: Client;
  readonly #messages: Message[] = [];
  #wake: () => void = () => {};
  #closed = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Resolves once keys are in use and the login may begin. */
  static async open(at: { readonly host: string; readonly port: number }): Promise<RawSsh> {
    const socket = connect({ host: at.host, port: at.port });
    await once(socket, 'connect');
    const client = new ssh2.Client();
    const raw = new RawSsh(client);
    client.on('error', () => {});
    client.on('close', () => {
      raw.#closed = true;
      raw.#wake();
    });
    const ready = new Promise<void>((resolve) => {
      const wait = (): undefined => {
        resolve();
        return undefined;
      };
      // The library waits for a method for ever; meanwhile we speak.
      client.connect({ sock: socket, username: 'x', hostVerifier: () => true, authHandler: wait as never });
    });
    watchPayloads(client, (type, payload) => {
      if (type < 50 && type !== said.disconnect) return true;
      raw.#messages.push({ type, payload: Buffer.from(payload) });
      raw.#wake();
      return false;
    });
    await ready;
    return raw;
  }

  send(...parts: readonly Uint8Array[]): void {
    sendPayload(this.#client, Buffer.concat(parts));
  }

  /** The next message; undefined when the connection is closed. */
  async next(): Promise<Message | undefined> {
    while (this.#messages.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#messages.shift();
  }

  /** What comes up to a message of one of these types, or to the end. */
  async until(...types: readonly number[]): Promise<Message | undefined> {
    for (;;) {
      const message = await this.next();
      if (message === undefined || types.includes(message.type)) return message;
    }
  }

  get sessionId(): Buffer {
    return (this.#client as unknown as { _protocol: { _kex: { sessionID: Buffer } } })._protocol._kex.sessionID;
  }

  /** RFC 4252 section 5: a request to log in; resolves with how it was answered. */
  async login(user: string, method: string, ...fields: readonly Uint8Array[]): Promise<Message | undefined> {
    this.send(userauth(user, method, ...fields));
    return this.until(said.failure, said.success, said.keyOk, said.disconnect);
  }

  async password(user: string, password: string): Promise<Message | undefined> {
    return this.login(user, 'password', no, string(password));
  }

  /** RFC 4254 section 5.1; resolves with the other side's number for the channel, or undefined when it is refused. */
  async channel(type = 'session', mine = 0, rest: Uint8Array = Buffer.alloc(0)): Promise<number | undefined> {
    this.send(Buffer.from([90]), string(type), uint32(mine), uint32(1 << 20), uint32(32_768), rest);
    const answer = await this.until(91, said.openFailure, said.disconnect);
    return answer?.type === 91 ? answer.payload.readUInt32BE(5) : undefined;
  }

  /** RFC 4254 section 5.4; resolves with whether it was taken. */
  async request(channel: number, name: string, ...fields: readonly Uint8Array[]): Promise<boolean> {
    this.send(Buffer.from([98]), uint32(channel), string(name), yes, ...fields);
    return (await this.until(99, 100, said.disconnect))?.type === 99;
  }

  data(channel: number, bytes: Uint8Array): void {
    this.send(Buffer.from([94]), uint32(channel), string(bytes));
  }

  end(): void {
    this.#client.destroy();
  }
}

export const yes = Buffer.from([1]);
export const no = Buffer.from([0]);

export function userauth(user: string, method: string, ...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([50]), string(user), string('ssh-connection'), string(method), ...fields]);
}
