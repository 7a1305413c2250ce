/** A client of HTTP/2 for the contract suite: one stream per ask, one after the other, and frames below all of them. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Address, Answer, Ask, ContractSession, Opened, Proof, Words } from './adapter.ts';
import { answerOf, type HttpAnswer, mostKept, probe, proofText, wordsOf, writtenRequest } from './http-answer.ts';

const codes: ReadonlyMap<number, string> = new Map(
  Object.entries(constants).flatMap(([name, code]) =>
    /^NGHTTP2_(?:NO_ERROR|CANCEL|ENHANCE_YOUR_CALM|[A-Z_]+_ERROR)$/.test(name) ? [[Number(code), name] as const] : [],
  ),
);

/** A request as bytes for `raw`: fields that a library would check, and a body that may not be all of it. */
export function rawRequest(headers: Readonly<Record<string, string>>, body = '', end = true): Buffer {
  return Buffer.from(JSON.stringify({ headers, body, end }));
}

export async function openHttp2(at: Address, proof: Proof, target: string): Promise<Opened> {
  const socket = connect({ host: at.host, port: at.port, noDelay: true });
  await once(socket, 'connect');
  return new Http2Session(socket, proofText(proof), target).begin();
}

interface Http2Answer extends HttpAnswer {
  /** Where there is no answer, or not all of it. */
  readonly reset?: Words;
}

class Http2Session implements ContractSession {
  readonly #socket: Socket;
  readonly #client: ClientHttp2Session;
  readonly #proof: string;
  readonly #target: string;
  readonly #answers: Promise<Answer>[] = [];
  readonly #received: Buffer[] = [];
  readonly #over: Promise<Words | undefined>;
  #tail: Promise<unknown> = Promise.resolve();
  #running: ClientHttp2Stream | undefined;
  #kept = 0;
  #last: Words | undefined;

  constructor(socket: Socket, proof: string, target: string) {
    this.#socket = socket;
    this.#proof = proof;
    this.#target = target;
    this.#client = connectHttp2('http://localhost', { createConnection: () => tubeOf(socket) });
    this.#client.on('error', () => {});
    this.#client.on('goaway', (code: number, _stream: number, said?: Uint8Array) => {
      const message = Buffer.from(said ?? []).toString('utf8') || (codes.get(code) ?? String(code));
      this.#keep(Buffer.from(message));
      this.#last = { code: codes.get(code) ?? String(code), message };
    });
    this.#over = new Promise((resolve) => socket.once('close', () => resolve(this.#last)));
  }

  async begin(): Promise<Opened> {
    const answer = await this.#request(probe, undefined);
    if (answer.status === 200) return { open: true, session: this };
    this.#client.destroy();
    return { open: false, words: wordsOf(answer) };
  }

  send(...asks: readonly Ask[]): void {
    for (const { text, form } of asks) this.#enqueue(() => this.#request(text, form));
  }

  answer(): Promise<Answer> {
    const answer = this.#answers.shift();
    if (!answer) throw new Error('nothing was asked');
    return answer;
  }

  notice(): Promise<{ readonly request: string }> {
    return Promise.reject(new Error('nothing is told before the answer'));
  }

  raw(bytes: Uint8Array): void {
    if (bytes[0] !== 0x7b) {
      const ends = this.#over.then((): never => {
        throw new Error('the session ended');
      });
      ends.catch(() => {});
      this.#answers.push(ends);
      this.#socket.write(bytes);
      return;
    }
    const { headers, body, end } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    this.#enqueue(() =>
      this.#exchange({ ':authority': 'localhost', authorization: this.#proof, ...headers }, body, end),
    );
  }

  async cancel(): Promise<void> {
    this.#running?.close(constants.NGHTTP2_CANCEL);
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#over;
  }

  drop(): void {
    this.#socket.destroy();
  }

  ended(): Promise<Words | undefined> {
    return this.#over;
  }

  received(): Buffer {
    return Buffer.concat(this.#received);
  }

  #enqueue(act: () => Promise<Http2Answer>): void {
    const answer = this.#tail
      .catch(() => {})
      .then(act)
      .then((got): Answer => (got.reset ? { outcome: 'failed', ...got.reset } : answerOf(got)));
    answer.catch(() => {});
    this.#tail = answer;
    this.#answers.push(answer);
  }

  #request(text: string, form: string | undefined): Promise<Http2Answer> {
    const { method, path, host, body, chunked } = writtenRequest(text, form, this.#target);
    const length = body && !chunked ? { 'content-length': String(body.length) } : {};
    const about = body ? { 'content-type': 'application/json', ...length } : {};
    const head = { ':method': method, ':path': path, ':authority': host, authorization: this.#proof, ...about };
    return this.#exchange(head, body, true);
  }

  #exchange(headers: Record<string, string>, body: string | Buffer | undefined, end: boolean): Promise<Http2Answer> {
    return new Promise((resolve, reject) => {
      void this.#over.then(() => reject(new Error('the session ended')));
      const stream = this.#client.request(headers, { endStream: end && !body });
      this.#running = stream;
      const pieces: Buffer[] = [];
      let size = 0;
      let status = 0;
      let type = '';
      stream.on('error', () => {});
      stream.on('response', (head) => {
        status = Number(head[':status']);
        type = head['content-type'] ?? '';
        this.#keep(Buffer.from(JSON.stringify(head)));
      });
      stream.on('data', (piece: Buffer) => {
        this.#keep(piece);
        if (size < mostKept) pieces.push(piece);
        size += piece.length;
      });
      stream.once('close', () => {
        const code = codes.get(stream.rstCode ?? 0) ?? '';
        const complete = stream.rstCode === constants.NGHTTP2_NO_ERROR;
        const answer = { status, type, body: Buffer.concat(pieces) };
        if (complete && status >= 400) this.#last = wordsOf(answer);
        if (complete && status === 0) reject(new Error('the session ended'));
        else if (complete) resolve(answer);
        else resolve({ ...answer, reset: { code, message: `the stream was reset: ${code}` } });
      });
      if (body) stream.write(body);
      if (body && end) stream.end();
    });
  }

  #keep(bytes: Buffer): void {
    if (this.#kept < mostKept) this.#received.push(bytes);
    this.#kept += bytes.length;
  }
}

/** The socket as a stream that others may write to as well, which Node's own use of a socket does not let them. */
function tubeOf(socket: Socket): Duplex {
  const tube = new Duplex({
    read: () => void socket.resume(),
    write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => void socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  tube.on('error', () => {});
  socket.on('error', () => {});
  socket.on('data', (bytes) => void (tube.push(bytes) || socket.pause()));
  socket.on('end', () => tube.push(null));
  socket.on('close', () => tube.destroy());
  return tube;
}
