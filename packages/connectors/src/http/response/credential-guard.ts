import type { UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import type { BodyBytes } from '../../wire/http/arriving-body.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import type { UpstreamResponse } from '../../wire/http/upstream.ts';
import { OwnCredential } from '../../wire/own-credential.ts';

/**
 * Takes the gateway's own credential out of responses, byte for byte, so that lengths and documents stay what they were,
 * and however a body is cut into pieces.
 */
export class CredentialGuard {
  readonly #own: OwnCredential;

  /** `found` is called when something was found. */
  constructor(credential: UpstreamCredential, found: () => void) {
    this.#own = new OwnCredential(credential, found);
  }

  response(response: UpstreamResponse): UpstreamResponse {
    if (this.#own.none) return response;
    const { status, body } = response;
    const headers = response.headers.map((field): HttpHeader => {
      const [name, value] = field;
      const clean = this.text(value);
      return clean === value ? field : [name, clean];
    });
    return {
      status,
      headers,
      body: {
        taken: (most) => {
          const all = body.taken?.(most);
          return all && this.whole(bufferOf(all));
        },
        [Symbol.asyncIterator]: () => this.#body(body),
      },
    };
  }

  /** A text of a header field, one character for each byte. */
  text(value: string): string {
    // Most are shorter than any secret.
    if (value.length < this.#own.shortest) return value;
    return this.whole(Buffer.from(value, 'latin1')).toString('latin1');
  }

  /** The bytes without what was found in them; the same ones where nothing was. */
  whole(bytes: Buffer): Buffer {
    return this.#own.bytes(bytes);
  }

  async *#body(pieces: BodyBytes): AsyncGenerator<Uint8Array, void> {
    let kept: Buffer = Buffer.alloc(0);
    for await (const piece of pieces) {
      const bytes = this.whole(Buffer.concat([kept, piece]));
      const until = bytes.length - this.#own.begun(bytes);
      kept = bytes.subarray(until);
      if (until > 0) yield bytes.subarray(0, until);
    }
    if (kept.length > 0) yield kept;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
