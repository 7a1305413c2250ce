import type { UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import type { UpstreamResponse } from '../../wire/http/upstream.ts';

/** Shorter secrets would be found in what has nothing to do with them. */
const shortest = 6;
const star = 0x2a;

/**
 * Takes the gateway's own credential out of what a target sends back: APIs echo header fields, in debug pages and in
 * errors. Each of its bytes becomes an asterisk, so that lengths and documents stay what they were. It finds the forms
 * in which secrets are usually written, not one that a hostile target makes up.
 */
export class CredentialGuard {
  readonly #forms: readonly Buffer[];
  /** Called when something was found. */
  readonly #found: () => void;

  constructor({ username, secrets }: UpstreamCredential, found: () => void) {
    this.#found = found;
    const forms = new Set<string>();
    for (const [key, secret] of Object.entries(secrets)) {
      const value = secret.reveal().trim();
      if (value.length < shortest) continue;
      const pairs = key === 'password' ? [`${username}:${value}`] : [];
      for (const text of [value, ...pairs]) {
        const json = JSON.stringify(text).slice(1, -1);
        const base64 = Buffer.from(text).toString('base64').replace(/=+$/, '');
        const base64url = Buffer.from(text).toString('base64url');
        for (const form of [text, json, json.replaceAll('/', '\\/'), encodeURIComponent(text), base64, base64url]) {
          forms.add(form);
        }
      }
    }
    this.#forms = [...forms].map((form) => Buffer.from(form)).sort((a, b) => b.length - a.length);
  }

  response(response: UpstreamResponse): UpstreamResponse {
    if (this.#forms.length === 0) return response;
    const headers = response.headers.map(([name, value]): HttpHeader => [name, this.text(value)]);
    return { ...response, headers, body: this.#body(response.body) };
  }

  /** A text of a header field, one character for each byte. */
  text(value: string): string {
    return this.whole(Buffer.from(value, 'latin1')).toString('latin1');
  }

  /** The bytes without what was found in them; the same ones where nothing was. */
  whole(bytes: Buffer): Buffer {
    let clean: Buffer | undefined;
    for (const form of this.#forms) {
      for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + form.length)) {
        clean ??= Buffer.from(bytes);
        clean.fill(star, at, at + form.length);
      }
    }
    if (clean) this.#found();
    return clean ?? bytes;
  }

  async *#body(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let kept: Buffer = Buffer.alloc(0);
    for await (const piece of pieces) {
      const bytes = this.whole(Buffer.concat([kept, piece]));
      const until = bytes.length - this.#begun(bytes);
      kept = bytes.subarray(until);
      if (until > 0) yield bytes.subarray(0, until);
    }
    if (kept.length > 0) yield kept;
  }

  /** How many bytes at the end could be the beginning of a secret. */
  #begun(bytes: Buffer): number {
    const [longest] = this.#forms;
    for (let length = Math.min(bytes.length, (longest?.length ?? 1) - 1); length > 0; length--) {
      const end = bytes.subarray(bytes.length - length);
      if (this.#forms.some((form) => form.length > length && form.subarray(0, length).equals(end))) return length;
    }
    return 0;
  }
}
