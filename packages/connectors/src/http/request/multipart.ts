import { badRequest } from './bad-request.ts';

const longestHead = 16 * 1024;
const crlf = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');
/** A parameter of `Content-Disposition` (RFC 6266 section 4.1), its value quoted or not. */
const parameter = /\s*;\s*([A-Za-z0-9*_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/y;

/**
 * A multipart body (RFC 2046 section 5.1) as it is passed on, watched on the way: its parts must be where every reader
 * finds them, and none of them may be the field by which some frameworks take a request for one of another method.
 * What is in the parts is not read. `contentType` is the request's field as it came. Throws `HttpError`, then and while
 * it is read; a piece is given only when what is in it was looked at.
 */
export function watchedMultipart(contentType: string, pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const watch = new Watch(boundaryOf(contentType));
  return (async function* () {
    for await (const piece of pieces) yield* watch.push(piece);
    yield* watch.end();
  })();
}

/** Section 5.1.1; as few characters as all readers agree on. */
function boundaryOf(contentType: string): string {
  const found = [...contentType.matchAll(/;\s*boundary=(?:"([^"\\]+)"|([^\s;"]+))\s*(?=;|$)/gi)];
  const boundary = found[0]?.[1] ?? found[0]?.[2] ?? '';
  const mentions = contentType.match(/boundary\s*\*?/gi)?.length ?? 0;
  if (found.length !== 1 || mentions !== 1 + (boundary.match(/boundary/gi)?.length ?? 0)) {
    throw badRequest('A multipart body needs exactly one boundary.');
  }
  if (!/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/.test(boundary)) {
    throw badRequest('The boundary of the multipart body has characters that not every reader takes.');
  }
  return boundary;
}

class Watch {
  readonly #delimiter: Buffer;
  #kept: Buffer = Buffer.alloc(0);
  #place: 'begin' | 'head' | 'content' | 'end' = 'begin';

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`--${boundary}`);
  }

  push(piece: Uint8Array): readonly Buffer[] {
    let bytes = Buffer.concat([this.#kept, piece]);
    const looked: Buffer[] = [];
    for (;;) {
      const length = this.#look(bytes);
      if (length === 0) break;
      looked.push(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.#kept = bytes;
    return looked;
  }

  end(): readonly Buffer[] {
    if (this.#place !== 'end') throw badRequest('The multipart body does not end.');
    return this.#kept.length > 0 ? [this.#kept] : [];
  }

  /** How many bytes at the beginning have been looked at; 0 when it takes more to tell. */
  #look(bytes: Buffer): number {
    if (this.#place === 'head') return this.#head(bytes);
    const at = bytes.indexOf(this.#delimiter);
    const behind = at + this.#delimiter.length;
    if (this.#place === 'end') {
      if (at >= 0) throw badRequest('The multipart body goes on behind its end.');
      return Math.max(0, bytes.length - this.#delimiter.length);
    }
    if (this.#place === 'begin') {
      const enough = bytes.length >= behind + 2;
      if (at === 0 && enough) return this.#delimited(bytes, behind);
      if (at > 0 || bytes.length > this.#delimiter.length + 2) {
        throw badRequest('The multipart body does not begin with a part.');
      }
      return 0;
    }
    // The line end in front is the delimiter's, and has to be there to be told.
    if (at < 0) return Math.max(0, bytes.length - this.#delimiter.length - 2);
    if (!bytes.subarray(Math.max(0, at - 2), at).equals(crlf)) {
      throw badRequest('The multipart body has its boundary within a line.');
    }
    return bytes.length >= behind + 2 ? this.#delimited(bytes, behind) : 0;
  }

  #delimited(bytes: Buffer, behind: number): number {
    const next = bytes.toString('latin1', behind, behind + 2);
    if (next !== '\r\n' && next !== '--') throw badRequest('The multipart body has a boundary that goes on.');
    this.#place = next === '--' ? 'end' : 'head';
    // Its own line end stays: a head of no lines ends with it.
    return next === '--' ? behind + 2 : behind;
  }

  #head(bytes: Buffer): number {
    const at = bytes.indexOf(headEnd);
    if (at > longestHead || (at < 0 && bytes.length > longestHead)) {
      throw badRequest('A part of the multipart body has a head that is too long.');
    }
    if (at < 0) return 0;
    if (at > 0) checkHead(bytes.toString('latin1', 2, at));
    this.#place = 'content';
    // A delimiter may follow at once, with the second of the line ends as its own.
    return at + 2;
  }
}

function checkHead(head: string): void {
  let dispositions = 0;
  for (const line of head.split('\r\n')) {
    const [, name, value = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r\n\0]*)$/.exec(line) ?? [];
    if (name === undefined) throw badRequest('A part of the multipart body has a header field that is none.');
    if (name.toLowerCase() !== 'content-disposition') continue;
    dispositions += 1;
    checkDisposition(value);
  }
  if (dispositions > 1) throw badRequest('A part of the multipart body says twice what it is.');
}

function checkDisposition(value: string): void {
  const unclear = 'A part of the multipart body has a name that can be read in more than one way.';
  const type = /^\s*[A-Za-z-]+/.exec(value)?.[0];
  if (type === undefined) throw badRequest(unclear);
  let names = 0;
  parameter.lastIndex = type.length;
  let end = parameter.lastIndex;
  for (let match = parameter.exec(value); match; match = parameter.exec(value)) {
    end = parameter.lastIndex;
    const [, key = '', quoted, plain = ''] = match;
    if (!/^name/i.test(key)) continue;
    names += 1;
    const name = quoted ?? plain;
    // RFC 2231, RFC 2047 and escapes: some readers undo them.
    if (key.toLowerCase() !== 'name' || names > 1 || /\\|=\?/.test(name)) throw badRequest(unclear);
    if (
      /^\s*_method\b/i.test(name.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number(`0x${digits}`))))
    )
      throw badRequest('The multipart body asks for another method ("_method").');
  }
  if (!/^\s*;?\s*$/.test(value.slice(end))) throw badRequest(unclear);
}
