/** A client of SSH for the contract suite, as rude as needed: one channel per ask, and bytes below all of them. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { sendPayload, sendSignal, watchPayloads } from '@sluice/connectors/ssh/transport/wire.ts';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import type { Address, Answer, Ask, ContractSession, Opened, Proof, Words } from './adapter.ts';

export const forms = ['exec', 'pty'] as const;

/** Answers to requests (RFC 4254 sections 4, 5.1 and 5.4). */
const failures: ReadonlyMap<number, string> = new Map([
  [82, 'request'],
  [92, 'channel open'],
  [100, 'channel request'],
]);
const mostKept = 16 * 1024 * 1024;

export async function openSsh(at: Address, proof: Proof, target: string): Promise<Opened> {
  const socket = connectSocket({ host: at.host, port: at.port, noDelay: true });
  await once(socket, 'connect');
  const client = new ssh2.Client();
  const session = new SshSession(client, () => socket.destroy());
  const [username, password] = proof.kind === 'token' ? [target, proof.token] : [`${proof.id}+${target}`, proof.secret];
  client.connect({ sock: socket, username, password, hostVerifier: () => true, keepaliveInterval: 0, readyTimeout: 0 });
  session.watch();
  return session.begin();
}

class SshSession implements ContractSession {
  readonly #client: Client;
  readonly #destroy: () => void;
  readonly #received: Record<'message' | 'stdout' | 'stderr', Buffer[]> = { message: [], stdout: [], stderr: [] };
  #kept = 0;
  readonly #answers: Promise<Answer>[] = [];
  readonly #notices: string[] = [];
  #wakeNotice: () => void = () => {};
  readonly #failures: ((what: string) => void)[] = [];
  #channel: ClientChannel | undefined;
  #last: Words | undefined;
  readonly #over: Promise<Words | undefined>;

  constructor(client: Client, destroy: () => void) {
    this.#client = client;
    this.#destroy = destroy;
    client.on('error', (error) => {
      this.#last ??= { code: String((error as { code?: unknown }).code ?? 'error'), message: error.message };
    });
    this.#over = new Promise((resolve) => client.once('close', () => resolve(this.#last)));
  }

  watch(): void {
    watchPayloads(this.#client, (type, payload) => {
      this.#keep('message', payload);
      const failed = failures.get(type);
      if (failed) this.#failures.shift()?.(failed);
      return true;
    });
  }

  async begin(): Promise<Opened> {
    const ready = new Promise<boolean>((resolve) => this.#client.once('ready', () => resolve(true)));
    if (!(await Promise.race([ready, this.#over.then(() => false)]))) return this.#refused();
    // Whether there is a session at all is told by the answer to the first question.
    const answered = new Promise<boolean>((resolve) => this.#failures.push(() => resolve(true)));
    sendPayload(this.#client, globalRequest('keepalive@openssh.com'));
    return (await Promise.race([answered, this.#over.then(() => false)]))
      ? { open: true, session: this }
      : this.#refused();
  }

  send(...asks: readonly Ask[]): void {
    for (const ask of asks) {
      const answer = this.#ask(ask);
      answer.catch(() => {});
      this.#answers.push(answer);
    }
  }

  async answer(): Promise<Answer> {
    const next = this.#answers.shift();
    if (!next) throw new Error('nothing was asked');
    return next;
  }

  async notice(): Promise<{ readonly request: string }> {
    while (this.#notices.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wakeNotice = resolve;
      });
    }
    return { request: this.#notices.shift() ?? '' };
  }

  raw(bytes: Uint8Array): void {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#failures.push((code) => resolve({ outcome: 'failed', code, message: `${code} failed` }));
      void this.#over.then(() => reject(new Error('the session ended')));
    });
    answer.catch(() => {});
    this.#answers.push(answer);
    sendPayload(this.#client, Buffer.from(bytes));
  }

  async cancel(): Promise<void> {
    sendSignal(this.#client, this.#channel, 'INT');
  }

  async close(): Promise<void> {
    this.#client.end();
    await this.#over;
  }

  drop(): void {
    this.#destroy();
  }

  ended(): Promise<Words | undefined> {
    return this.#over;
  }

  received(): Buffer {
    return Buffer.concat(Object.values(this.#received).flat());
  }

  #refused(): Opened {
    return { open: false, words: this.#last ?? { code: 'closed', message: '' } };
  }

  #ask({ text, form }: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      void this.#over.then(() => reject(new Error('the session ended')));
      this.#client.exec(text, form === 'pty' ? { pty: true } : {}, (error, channel) => {
        if (error) {
          reject(error);
          return;
        }
        this.#channel = channel;
        let out = '';
        let err = '';
        let exit: string | undefined;
        channel.on('data', (data: Buffer) => {
          this.#keep('stdout', data);
          if (out.length < mostKept) out += data.toString('latin1');
        });
        channel.stderr.on('data', (data: Buffer) => {
          this.#keep('stderr', data);
          err += data.toString('utf8');
          this.#look(data.toString('utf8'));
        });
        channel.on('exit', (code: number | null, signal?: string) => {
          exit = signal ?? String(code);
        });
        channel.on('close', () => (exit === undefined ? reject(new Error('no exit')) : resolve(read(out, err, exit))));
      });
    });
  }

  #look(text: string): void {
    const found = /access request (req_[A-Za-z0-9_-]+): /.exec(text)?.[1];
    if (found === undefined) return;
    this.#notices.push(found);
    this.#wakeNotice();
  }

  #keep(where: 'message' | 'stdout' | 'stderr', bytes: Buffer): void {
    if (this.#kept > mostKept) return;
    this.#kept += bytes.length;
    this.#received[where].push(Buffer.from(bytes));
  }
}

interface Detail {
  readonly decision: string;
  readonly policies: readonly string[];
  readonly request: string | null;
  readonly url: string | null;
}

function read(out: string, err: string, exit: string): Answer {
  const told = err.split(/\r?\n/).filter((line) => line.startsWith('sluice: '));
  const lines = told.map((line) => line.slice('sluice: '.length));
  const detail = lines.at(-1);
  if (detail?.startsWith('{')) {
    const { decision, policies, request, url } = JSON.parse(detail) as Detail;
    const head = lines.at(url ? -4 : -3) ?? '';
    const reason = head.slice(head.indexOf(': ') + 2);
    return {
      outcome: 'refused',
      code: exit,
      message: err,
      refusal: {
        decision,
        policies,
        reason,
        request: request ?? undefined,
        url: url ?? undefined,
        hint: lines.at(-2) ?? '',
      },
    };
  }
  if (exit !== '0') {
    const message = /^\d+$/.test(exit) ? `exit status ${exit}` : `ended by signal ${exit}`;
    return { outcome: 'failed', code: exit, message: lines.length > 0 ? err : message };
  }
  const values = out.split(/\r?\n/).filter((line) => line !== '');
  return { outcome: 'done', values, items: values.length };
}

/** RFC 4254 section 4, with an answer wanted. */
export function globalRequest(name: string, rest: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([80]), field(name), Buffer.from([1]), rest]);
}

export function field(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
