import type { Denial } from '@sluice/core/contract/session.ts';
import type { SluiceError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { HttpReply, HttpResponseHead } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { isJson, readMediaType } from '../request/media-type.ts';
import type { Receiver } from '../session/receiver.ts';
import { answerBytes } from './operations.ts';

/** Keeps an answer, up to a bound, for a caller that gets it as a value. */
export class Collector implements Receiver {
  responded = false;
  denial: Denial | undefined;
  error: SluiceError | undefined;
  readonly #enough: () => void;
  #head: HttpResponseHead | undefined;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #cut = false;

  /** `enough` is called when more would not be kept: nobody waits for the rest. */
  constructor(enough: () => void) {
    this.#enough = enough;
  }

  respond(head: HttpResponseHead): HttpReply {
    this.responded = true;
    this.#head = head;
    return {
      write: async (bytes) => this.#keep(bytes),
      end: async (bytes) => {
        if (bytes) this.#keep(bytes);
      },
      abort: () => {
        this.#cut = true;
      },
    };
  }

  async answer(head: HttpResponseHead, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    await this.respond(head).end(body);
  }

  refused(denial: Denial): void {
    this.denial = denial;
  }

  failed(error: SluiceError): void {
    this.error = error;
  }

  value(): JsonObject {
    const { status = 502, headers = [] } = this.#head ?? {};
    const bytes = Buffer.concat(this.#pieces);
    const media = readMediaType(soleHeader(headers, 'content-type') ?? '');
    const shown = new Map<string, string>();
    for (const [name, value] of headers) {
      if (name === 'set-cookie') continue;
      const before = shown.get(name);
      shown.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const content =
      bytes.length === 0
        ? {}
        : !this.#cut && media && isJson(media)
          ? {
              body: parseStrictJson(bytes, {
                bytes: answerBytes,
                depth: 256,
                inexact: () => {},
                loneSurrogates: 'keep',
              }),
            }
          : { text: bytes.toString('utf8') };
    return { status, headers: Object.fromEntries(shown), ...content, truncated: this.#cut };
  }

  #keep(bytes: Uint8Array): void {
    const room = answerBytes - this.#size;
    if (bytes.length > room) {
      this.#cut = true;
      this.#enough();
    }
    const kept = bytes.subarray(0, Math.max(0, room));
    this.#pieces.push(kept);
    this.#size += kept.length;
  }
}
