/** Finds answers of HTTP/1.1 (RFC 9112) in the bytes of a connection, as they come; of long ones it keeps the beginning. */
import { Buffer } from 'node:buffer';
import { type HttpAnswer, mostKept } from './http-answer.ts';

type State = 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer';

export class Http1Answers {
  #rest: Buffer = Buffer.alloc(0);
  #state: State = 'head';
  #left = 0;
  #status = 0;
  #type = '';
  #pieces: Buffer[] = [];
  #kept = 0;

  push(bytes: Buffer): HttpAnswer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const found: HttpAnswer[] = [];
    for (let more = true; more; ) {
      const answer = this.#step();
      if (typeof answer === 'object') found.push(answer);
      more = answer !== 'more';
    }
    return found;
  }

  #step(): HttpAnswer | 'on' | 'more' {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
      case 'chunk':
        return this.#take();
      case 'chunk size': {
        const line = this.#line('\r\n');
        if (line === undefined) return 'more';
        this.#left = Number.parseInt(line, 16);
        this.#state = this.#left === 0 ? 'trailer' : 'chunk';
        return 'on';
      }
      case 'chunk end':
        if (this.#line('\r\n') === undefined) return 'more';
        this.#state = 'chunk size';
        return 'on';
      case 'trailer': {
        const line = this.#line('\r\n');
        if (line === undefined) return 'more';
        return line === '' ? this.#done() : 'on';
      }
    }
  }

  #head(): HttpAnswer | 'on' | 'more' {
    const head = this.#line('\r\n\r\n');
    if (head === undefined) return 'more';
    const [first = '', ...lines] = head.split('\r\n');
    const fields = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    this.#status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
    if (!(this.#status >= 100)) throw new Error(`this is no answer of HTTP/1.1: ${first}`);
    if (this.#status < 200) return 'on';
    this.#type = fields.get('content-type') ?? '';
    if (fields.get('transfer-encoding') === 'chunked') {
      this.#state = 'chunk size';
      return 'on';
    }
    this.#left = Number(fields.get('content-length') ?? 0);
    if (this.#left === 0) return this.#done();
    this.#state = 'length';
    return 'on';
  }

  #take(): HttpAnswer | 'on' | 'more' {
    if (this.#rest.length === 0) return 'more';
    const piece = this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(piece.length);
    this.#left -= piece.length;
    if (this.#kept < mostKept) this.#pieces.push(piece);
    this.#kept += piece.length;
    if (this.#left > 0) return 'more';
    if (this.#state === 'length') return this.#done();
    this.#state = 'chunk end';
    return 'on';
  }

  #line(end: string): string | undefined {
    const at = this.#rest.indexOf(end);
    if (at < 0) return undefined;
    const line = this.#rest.subarray(0, at).toString('latin1');
    this.#rest = this.#rest.subarray(at + end.length);
    return line;
  }

  #done(): HttpAnswer {
    const answer = { status: this.#status, type: this.#type, body: Buffer.concat(this.#pieces) };
    this.#state = 'head';
    this.#pieces = [];
    this.#kept = 0;
    return answer;
  }
}
