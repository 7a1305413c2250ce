/**
 * What comes back from a target, to whoever asked: by its media type it is masked whole (JSON), event by event or line
 * by line, as text, or needs policy's leave because nothing can be masked in it; and it is recorded as the client sees
 * it. It knows no socket, and understands no request.
 */

import type { Allowed, Denied, Session } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { BodyBytes } from '../../wire/http/arriving-body.ts';
import type { HttpHeader, HttpReply } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import type { Signal } from '../../wire/http/signal.ts';
import type { UpstreamResponse } from '../../wire/http/upstream.ts';
import {
  isEventStream,
  isJson,
  isJsonLines,
  isText,
  type MediaType,
  readMediaType,
  readsAsUtf8,
} from '../request/media-type.ts';
import { answerDenial } from '../session/problem.ts';
import type { Receiver } from '../session/receiver.ts';
import { STATUS_CODES } from '../status-codes.ts';
import { answerHeaders, type Place, recordedHeaders } from './answer-headers.ts';
import {
  type BodyMasker,
  eventMasker,
  type LabelsAt,
  lineMasker,
  maskJsonDocument,
  textMasker,
} from './body-masker.ts';
import { opaqueUnit } from './opaque.ts';
import { Peeked } from './peeked.ts';

/** The session that an answer belongs to. */
export interface Answering {
  readonly session: Session;
  decide(unit: Unit, gone: Signal): Promise<Allowed | Denied>;
  /** Labels of what stands at a path in documents below these segments. */
  labelsAt(segments: readonly string[]): LabelsAt;
  /** Whether values of the target can bear labels that the principal may not see. */
  labelled(): boolean;
  recorderReady(): Promise<void>;
}

export interface Delivery {
  readonly conversation: Answering;
  readonly place: Place;
  readonly method: string;
  readonly unit: Unit;
  readonly seq: number;
  /** Path below the target, by which what is in a body bears labels. */
  readonly segments: readonly string[];
  readonly gone: Signal;
}

/** A document that is masked is held whole; this many bytes of it. */
export const documentBytes = 4 * 1024 * 1024;

/** Rejects with an `HttpError` for what can't be masked; if the answer has begun, it was broken off. */
export async function deliver(delivery: Delivery, answer: UpstreamResponse, receiver: Receiver): Promise<void> {
  const { method } = delivery;
  const { status, headers } = answer;
  recordStatus(delivery, status);
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  if (bodiless) {
    for await (const _ of answer.body) break;
    await answerEmpty(delivery, answer, receiver);
    return;
  }
  const media = readMediaType(soleHeader(headers, 'content-type') ?? '');
  const partial = status === 206 || soleHeader(headers, 'content-range') !== undefined;
  if (media && !partial && isJson(media)) return deliverJson(delivery, answer, receiver);
  const response = { ...answer, body: new Peeked(answer.body) };
  const masker = media && maskerFor(delivery, media);
  if (masker) {
    if (partial)
      throw new HttpError('bad_response', 'A part of an answer can’t be masked. Ask for it without "Range".');
    // In a text nobody can tell where a labelled value is: what is hidden by its place needs leave to pass.
    if (isStructured(media) || !delivery.conversation.labelled()) {
      return deliverMasked(delivery, response, receiver, masker);
    }
    const leave = await askLeave(delivery, response, receiver, media.type);
    if (leave) await deliverMasked(delivery, { ...response, body: leave }, receiver, masker);
    return;
  }
  if (await response.body.empty()) return answerEmpty(delivery, response, receiver);
  return deliverOpaque(delivery, response, receiver, media?.type ?? '');
}

function maskerFor({ conversation, segments }: Delivery, media: MediaType): BodyMasker | undefined {
  const { texts } = conversation.session;
  const labelsAt = conversation.labelsAt(segments);
  // A part of a document is none.
  if (isJson(media)) return textMasker(texts);
  if (isEventStream(media) && readsAsUtf8(media)) return eventMasker(texts, labelsAt, conversation.labelled());
  if (isJsonLines(media)) return lineMasker(texts, labelsAt);
  return isText(media) ? textMasker(texts) : undefined;
}

async function answerEmpty(
  delivery: Delivery,
  { status, headers }: UpstreamResponse,
  receiver: Receiver,
): Promise<void> {
  const kept = delivery.method === 'HEAD' ? headers.filter(([name]) => name !== 'content-length') : headers;
  const shown = headersFor(delivery, kept, false);
  recordHead(delivery, status, shown);
  complete(delivery, status);
  if (delivery.method === 'HEAD') await receiver.respond({ status, headers: shown }).end();
  else await receiver.answer({ status, headers: shown });
}

async function deliverJson(delivery: Delivery, response: UpstreamResponse, receiver: Receiver): Promise<void> {
  const { conversation, segments, seq } = delivery;
  const { session } = conversation;
  const document = response.body.taken?.(documentBytes) ?? (await wholeDocument(delivery, response.body));
  const { bytes, masked, labels } =
    document.length === 0
      ? { bytes: document, masked: false, labels: [] }
      : maskJsonDocument(document, session.texts, conversation.labelsAt(segments));
  const headers = headersFor(delivery, response.headers, !masked);
  recordHead(delivery, response.status, headers);
  sawShown(delivery, labels);
  session.record({ type: 'output', unit: seq, stream: 'body', data: bytes });
  complete(delivery, response.status);
  if (session.recorderBehind) await conversation.recorderReady();
  await receiver.answer({ status: response.status, headers }, bytes);
}

async function wholeDocument({ conversation, seq }: Delivery, body: BodyBytes): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > documentBytes) {
      const detail = { unit: seq, bytes: documentBytes, of: 'document' };
      conversation.session.record({ type: 'event', name: 'limit', detail });
      throw new HttpError(
        'response_too_large',
        `The answer is JSON of more than ${documentBytes} bytes, which can’t be masked.`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

async function deliverMasked(
  delivery: Delivery,
  response: UpstreamResponse,
  receiver: Receiver,
  masker: BodyMasker,
): Promise<void> {
  const headers = headersFor(delivery, response.headers, false);
  recordHead(delivery, response.status, headers);
  const reply = receiver.respond({ status: response.status, headers });
  const pass = async (bytes: Uint8Array): Promise<void> => {
    sawShown(delivery, [...masker.labels]);
    await write(delivery, reply, bytes);
  };
  await brokenOff(reply, async () => {
    for await (const piece of response.body) await pass(masker.push(piece));
    await pass(masker.end());
  });
  complete(delivery, response.status);
  await reply.end();
}

async function deliverOpaque(
  delivery: Delivery,
  response: UpstreamResponse,
  receiver: Receiver,
  type: string,
): Promise<void> {
  const pieces = await askLeave(delivery, response, receiver, type);
  if (!pieces) return;
  const headers = headersFor(delivery, response.headers, true);
  recordHead(delivery, response.status, headers);
  const reply = receiver.respond({ status: response.status, headers });
  await brokenOff(reply, async () => {
    for await (const piece of pieces) await write(delivery, reply, piece);
  });
  complete(delivery, response.status);
  await reply.end();
}

/** The body, where policy lets it pass although not everything in it can be masked; otherwise the refusal is answered. */
async function askLeave(
  delivery: Delivery,
  response: UpstreamResponse,
  receiver: Receiver,
  type: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { conversation, gone } = delivery;
  const outcome = await conversation.decide(opaqueUnit(delivery.unit, type), gone);
  if (outcome.effect === 'allow') return conversation.session.carryOut(outcome.permit, () => response.body);
  // Leaving the loop lets go of the connection.
  for await (const _ of response.body) break;
  const { denial } = outcome;
  const hint = `${denial.hint} The request itself was carried out (${tagOf(response.status)}); only its answer is withheld.`;
  complete(delivery, response.status);
  await answerDenial(receiver, { ...denial, decision: 'deny', hint });
  return undefined;
}

function isStructured(media: MediaType): boolean {
  return isEventStream(media) || isJsonLines(media);
}

/** Whatever goes wrong while an answer is under way, the client must not take it for complete. */
async function brokenOff(reply: HttpReply, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    reply.abort();
    throw error;
  }
}

async function write({ conversation, seq, gone }: Delivery, reply: HttpReply, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  if (gone.aborted) throw new HttpError('client_gone', 'The client has gone.');
  conversation.session.record({ type: 'output', unit: seq, stream: 'body', data: bytes });
  await conversation.recorderReady();
  await reply.write(bytes);
}

function headersFor(
  { conversation, place }: Delivery,
  headers: readonly HttpHeader[],
  sameBytes: boolean,
): readonly HttpHeader[] {
  return answerHeaders(headers, place, conversation.session.texts, sameBytes);
}

/** Labels of values that were given in clear count for what the session may do later. */
function sawShown({ conversation: { session } }: Delivery, labels: readonly string[]): void {
  if (labels.length === 0) return;
  const hidden = session.hides(labels);
  session.sawLabels(labels.filter((label) => !hidden.includes(label)));
}

function recordStatus({ conversation: { session }, seq }: Delivery, status: number): void {
  if (status < 400) return;
  session.record({ type: 'error', unit: seq, code: String(status), message: tagOf(status), source: 'upstream' });
}

function recordHead(
  { conversation: { session }, seq }: Delivery,
  status: number,
  headers: readonly HttpHeader[],
): void {
  session.record({ type: 'event', name: 'response', detail: { unit: seq, status, headers: recordedHeaders(headers) } });
}

function complete({ conversation: { session }, seq }: Delivery, status: number): void {
  session.record({ type: 'complete', unit: seq, tag: tagOf(status), rows: 0, bytes: 0, digest: '' });
}

function tagOf(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}
