import type { Json } from '@sluice/core/domain/json.ts';
import { wholeBody } from '../../wire/http/body.ts';
import { unpackedRequest } from '../../wire/http/content-coding.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { badRequest } from './bad-request.ts';
import { type Fields, formFields, jsonFields, noFields } from './fields.ts';
import { isForm, isJson, isMultipart, isText, type MediaType, readMediaType, readsAsUtf8 } from './media-type.ts';
import { watchedMultipart } from './multipart.ts';
import { readParameters } from './query.ts';

/** Bodies that are understood are held whole; this many bytes of them. */
export const understoodBytes = 1024 * 1024;

/** What a body without a type is (RFC 9110 section 8.3): some servers would take it for a form. */
export const untyped = 'application/octet-stream';

/** A body as far as it could be understood. */
export type Body =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'whole';
      readonly media: string;
      /** What is sent: the client's own bytes, unpacked if they were packed. */
      readonly bytes: Uint8Array;
      readonly text: string;
      readonly fields: Fields;
      readonly json?: Json;
      /** It has no fields that could be read. */
      readonly opaque: boolean;
    }
  /** To be passed on as it comes. */
  | { readonly kind: 'stream'; readonly media: string; readonly pieces: AsyncIterable<Uint8Array> };

export interface BodySource {
  readonly method: string;
  readonly headers: readonly HttpHeader[];
  readonly hasBody: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws `HttpError` and `JsonError` for what can be read in more than one way, or not at all where it says it can. */
export async function readBody(source: BodySource, joinRepeated: boolean): Promise<Body> {
  const { method, headers } = source;
  if (!source.hasBody || soleHeader(headers, 'content-length') === '0') return { kind: 'none' };
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) {
    for await (const piece of source.body) {
      if (piece.length > 0) throw badRequest(`A ${method} has no body.`);
    }
    return { kind: 'none' };
  }
  const pieces = unpackedRequest(headers, source.body)?.body ?? source.body;
  const media = mediaOf(headers);
  if (!media) return { kind: 'stream', media: untyped, pieces };
  if (isMultipart(media)) {
    return { kind: 'stream', media: media.type, pieces: watchedMultipart(typeOf(headers), pieces) };
  }
  if (isForm(media) && !readsAsUtf8(media)) throw badRequest('A form is read as UTF-8, and this one says otherwise.');
  if (!(isJson(media) || isForm(media) || isText(media))) return { kind: 'stream', media: media.type, pieces };
  const bytes = await wholeBody(upTo(pieces, understoodBytes));
  if (bytes.length === 0) return { kind: 'none' };
  if (isJson(media)) {
    const { json, fields } = jsonFields(bytes, understoodBytes);
    return { kind: 'whole', media: media.type, bytes, text: utf8.decode(bytes), fields, json, opaque: fields.partly };
  }
  const text = textOf(bytes);
  if (isForm(media)) {
    if (!/^[\x20-\x7e]*$/.test(text)) throw badRequest('A form has only ASCII characters.');
    const fields = formFields(readParameters(text, 'The form', joinRepeated));
    return { kind: 'whole', media: media.type, bytes, text, fields, opaque: fields.partly };
  }
  return { kind: 'whole', media: media.type, bytes, text, fields: noFields, opaque: true };
}

function typeOf(headers: readonly HttpHeader[]): string {
  return soleHeader(headers, 'content-type') ?? '';
}

function mediaOf(headers: readonly HttpHeader[]): MediaType | undefined {
  const type = typeOf(headers);
  if (type === '') return undefined;
  const media = readMediaType(type);
  if (!media) throw badRequest('"Content-Type" is no media type.');
  return media;
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw badRequest('The body says that it is text and is not UTF-8.', cause);
  }
}

async function* upTo(pieces: AsyncIterable<Uint8Array>, most: number): AsyncIterable<Uint8Array> {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > most) {
      throw new HttpError('body_too_large', `A body that is to be understood has at most ${most} bytes.`);
    }
    yield piece;
  }
}
