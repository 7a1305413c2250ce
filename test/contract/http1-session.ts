/** A client of HTTP/1.1 for the contract suite, on a socket of its own: pipelines, and sends what no library would. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address, Answer, Ask, ContractSession, Opened, Proof, Words } from './adapter.ts';
import {
  answerOf,
  type HttpAnswer,
  mostKept,
  probe,
  proofHere,
  proofText,
  type WrittenRequest,
  wordsOf,
  writtenRequest,
} from './http-answer.ts';
import { Http1Answers } from './http1-answers.ts';

export async function openHttp1(at: Address, proof: Proof, target: string): Promise<Opened> {
  const socket = connect({ host: at.host, port: at.port, noDelay: true });
  await once(socket, 'connect');
  return new Http1Session(socket, proofText(proof), target).begin();
}

class Http1Session implements ContractSession {
  readonly #socket: Socket;
  readonly #proof: string;
  readonly #target: string;
  readonly #answers = new Http1Answers();
  readonly #waiting: ((answer: HttpAnswer) => void)[] = [];
  readonly #asked: Promise<HttpAnswer>[] = [];
  readonly #received: Buffer[] = [];
  readonly #over: Promise<Words | undefined>;
  #kept = 0;
  #last: Words | undefined;

  constructor(socket: Socket, proof: string, target: string) {
    this.#socket = socket;
    this.#proof = proof;
    this.#target = target;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      if (this.#kept < mostKept) this.#received.push(bytes);
      this.#kept += bytes.length;
      for (const answer of this.#answers.push(bytes)) this.#take(answer);
    });
    this.#over = new Promise((resolve) => socket.once('close', () => resolve(this.#last)));
  }

  async begin(): Promise<Opened> {
    this.#write(writtenRequest(probe, undefined, this.#target));
    const answer = await this.#next();
    if (answer.status === 200) return { open: true, session: this };
    this.#socket.destroy();
    return { open: false, words: wordsOf(answer) };
  }

  send(...asks: readonly Ask[]): void {
    for (const { text, form } of asks) this.#write(writtenRequest(text, form, this.#target));
  }

  async answer(): Promise<Answer> {
    return answerOf(await this.#next());
  }

  notice(): Promise<{ readonly request: string }> {
    return Promise.reject(new Error('nothing is told before the answer'));
  }

  raw(bytes: Uint8Array): void {
    const [before = '', after] = Buffer.from(bytes).toString('latin1').split(proofHere);
    this.#expect();
    this.#socket.write(after === undefined ? bytes : Buffer.from(`${before}${this.#proof}${after}`, 'latin1'));
  }

  cancel(): Promise<void> {
    return Promise.reject(new Error('what is given up takes the connection with it'));
  }

  async close(): Promise<void> {
    this.#socket.end();
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

  #next(): Promise<HttpAnswer> {
    const next = this.#asked.shift();
    if (!next) throw new Error('nothing was asked');
    return next;
  }

  #expect(): void {
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      this.#waiting.push(resolve);
      void this.#over.then(() => reject(new Error('the session ended')));
    });
    answer.catch(() => {});
    this.#asked.push(answer);
  }

  /** What nobody asked for is about the connection (RFC 9110 section 15.5.9). */
  #take(answer: HttpAnswer): void {
    if (answer.status >= 400) this.#last = wordsOf(answer);
    this.#waiting.shift()?.(answer);
  }

  #write({ method, path, host, chunked, body }: WrittenRequest): void {
    const framing = chunked ? 'transfer-encoding: chunked' : `content-length: ${body?.length ?? 0}`;
    const about = body ? ['content-type: application/json', framing] : [];
    const head = [`${method} ${path} HTTP/1.1`, `host: ${host}`, `authorization: ${this.#proof}`, ...about];
    this.#expect();
    this.#socket.write(`${head.join('\r\n')}\r\n\r\n`);
    if (!body) return;
    if (chunked) this.#socket.write(`${body.length.toString(16)}\r\n`);
    this.#socket.write(body);
    if (chunked) this.#socket.write('\r\n0\r\n\r\n');
  }
}
