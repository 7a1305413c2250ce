import type { Unit } from '@sluice/core/domain/unit.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';

/** What is sent to the target, but for the secrets that the gateway adds on the way. */
export interface SentRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly HttpHeader[];
}

/** As the bytes of a unit: the head and, where there is one, the body. */
export function writeRequest({ method, path, headers }: SentRequest, body: Uint8Array | undefined): Uint8Array[] {
  const head = Buffer.from(JSON.stringify({ method, path, headers }));
  return body ? [head, body] : [head];
}

/** Out of a unit that was decided: what is sent is what was judged. */
export function readRequest({ bytes }: Unit): SentRequest & { readonly body?: Uint8Array } {
  const [head, body] = bytes;
  if (!head) throw new Error('the unit has no request in it');
  let request = read.get(head);
  if (request === undefined) {
    request = JSON.parse(Buffer.from(head).toString()) as SentRequest;
    read.set(head, request);
  }
  return body ? { ...request, body } : request;
}

/** Units that come again have the very same bytes, which nobody changes. */
const read = new WeakMap<Uint8Array, SentRequest>();
