import type { Denial } from '@sluice/core/contract/session.ts';
import type { SluiceError } from '@sluice/core/domain/error.ts';
import type { HttpReply, HttpResponseHead } from '../../wire/http/exchange.ts';

/** Whoever gets the answer to a request: a client over HTTP, or a caller of an operation. */
export interface Receiver {
  readonly responded: boolean;
  /** Begins an answer, once. */
  respond(head: HttpResponseHead): HttpReply;
  /** A whole answer, with its length. */
  answer(head: HttpResponseHead, body?: Uint8Array): Promise<void>;
  /** Takes a refusal by policy as it is; where there is none, it is answered as a problem. */
  refused?(denial: Denial): void;
  /** Takes an error of the gateway or of the connection to the target as it is. */
  failed?(error: SluiceError): void;
}
