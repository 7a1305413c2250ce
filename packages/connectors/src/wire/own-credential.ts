import type { UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import type { Json } from '@sluice/core/domain/json.ts';

/** Shorter secrets would be found in what has nothing to do with them. */
const shortest = 6;
const star = 0x2a;

/**
 * The gateway's own credential at a target, to be looked for in what the target sends back: some echo what they were
 * given, in debug pages, in errors, in what they tell of their environment. Each byte or character of it becomes an
 * asterisk. It finds the forms in which secrets are usually written, not one that a hostile target makes up.
 */
export class OwnCredential {
  readonly #texts: readonly string[];
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
    this.#texts = [...forms].sort((a, b) => b.length - a.length);
    this.#forms = this.#texts.map((form) => Buffer.from(form)).sort((a, b) => b.length - a.length);
  }

  /** There is nothing to look for. */
  get none(): boolean {
    return this.#forms.length === 0;
  }

  /** Length of the shortest form that is looked for, in bytes. */
  get shortest(): number {
    return this.#forms.at(-1)?.length ?? Number.POSITIVE_INFINITY;
  }

  /** The bytes without what was found in them; the same ones where nothing was. */
  bytes(bytes: Buffer): Buffer {
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

  text(text: string): string {
    let clean = text;
    for (const form of this.#texts) if (clean.includes(form)) clean = clean.replaceAll(form, '*'.repeat(form.length));
    if (clean !== text) this.#found();
    return clean;
  }

  /** A document without it in any text, any name of a member, or the digits of any number. */
  json(value: Json): Json {
    if (this.none) return value;
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') {
      const digits = String(value);
      const clean = this.text(digits);
      return clean === digits ? value : clean;
    }
    if (Array.isArray(value)) return (value as readonly Json[]).map((each) => this.json(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [this.text(name), this.json(member)]));
  }

  /** How many bytes at the end could be the beginning of it. */
  begun(bytes: Buffer): number {
    const [longest] = this.#forms;
    for (let length = Math.min(bytes.length, (longest?.length ?? 1) - 1); length > 0; length--) {
      const end = bytes.subarray(bytes.length - length);
      if (this.#forms.some((form) => form.length > length && form.subarray(0, length).equals(end))) return length;
    }
    return 0;
  }
}
