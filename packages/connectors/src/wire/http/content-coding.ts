import { PassThrough, pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { BodyBytes } from './arriving-body.ts';
import type { HttpHeader } from './exchange.ts';
import { headerTokens } from './headers.ts';
import { HttpError } from './http-error.ts';

/** More than this many bytes out of one byte in is no text that anybody packed. */
const bomb = 200;
/** Below this, what comes out is not looked at: short texts pack well. */
const harmless = 1024 * 1024;

const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

export interface Coded {
  readonly headers: readonly HttpHeader[];
  readonly body: BodyBytes;
}

/**
 * A response with its content coding (RFC 9110 section 8.4) undone, and without the fields that told of it. Throws
 * `bad_response` for a coding that is not known, or more than one; the body throws it for what does not unpack, and
 * `response_too_large` for what unpacks to far more than any text would.
 */
export function identityCoding(
  status: number,
  method: string,
  headers: readonly HttpHeader[],
  body: BodyBytes,
): { readonly status: number } & Coded {
  const codings = headerTokens(headers, 'content-encoding').filter((coding) => coding !== 'identity');
  const kept = headers.filter(([name]) => name !== 'content-encoding');
  if (codings.length === 0) return { status, headers: kept, body };
  const unpack = codings.length === 1 ? unpackerOf(codings[0]) : undefined;
  if (!unpack) {
    throw new HttpError('bad_response', 'The target sent an answer in a content coding that is not understood.');
  }
  const rest = kept.filter(([name]) => name !== 'content-length' && name !== 'content-md5' && name !== 'digest');
  // There is nothing to unpack.
  if (method === 'HEAD' || status === 204 || status === 304) return { status, headers: rest, body };
  const tooLarge = (): HttpError =>
    new HttpError('response_too_large', 'The target sent an answer that unpacks to too much.');
  const corrupt = (cause: unknown): HttpError =>
    new HttpError('bad_response', 'The target sent an answer that does not unpack.', { cause });
  return { status, headers: rest, body: unpacked(body, unpack, tooLarge, corrupt) };
}

/** The same for a request; `undefined` where it has no coding. Throws `bad_request`. */
export function unpackedRequest(headers: readonly HttpHeader[], body: AsyncIterable<Uint8Array>): Coded | undefined {
  const codings = headerTokens(headers, 'content-encoding').filter((coding) => coding !== 'identity');
  if (codings.length === 0) return undefined;
  const unpack = codings.length === 1 ? unpackerOf(codings[0]) : undefined;
  if (!unpack) {
    throw new HttpError(
      'bad_request',
      'The content coding of the request is not understood; gzip, deflate and br are.',
    );
  }
  const tooLarge = (): HttpError => new HttpError('body_too_large', 'The body of the request unpacks to too much.');
  const corrupt = (cause: unknown): HttpError =>
    new HttpError('bad_request', 'The body of the request does not unpack.', { cause });
  return {
    headers: headers.filter(([name]) => name !== 'content-encoding' && name !== 'content-length'),
    body: unpacked(body, unpack, tooLarge, corrupt),
  };
}

function unpackerOf(coding: string | undefined): (() => Transform) | undefined {
  return coding !== undefined && Object.hasOwn(unpackers, coding) ? unpackers[coding] : undefined;
}

async function* unpacked(
  packed: AsyncIterable<Uint8Array>,
  unpack: () => Transform,
  tooLarge: () => HttpError,
  corrupt: (cause: unknown) => HttpError,
): AsyncIterable<Uint8Array> {
  let bytesIn = 0;
  let bytesOut = 0;
  let sourceFailed: { readonly error: unknown } | undefined;
  const counted = async function* (): AsyncIterable<Uint8Array> {
    try {
      for await (const piece of packed) {
        bytesIn += piece.length;
        yield piece;
      }
    } catch (error) {
      sourceFailed = { error };
      throw error;
    }
  };
  const out = new PassThrough();
  pipeline(Readable.from(counted(), { objectMode: false }), unpack(), out, () => {
    // Whatever broke it off, reading meets it.
  });
  try {
    for await (const piece of out) {
      const bytes: Uint8Array = piece;
      bytesOut += bytes.length;
      if (bytesOut > harmless && bytesOut > bytesIn * bomb) throw tooLarge();
      yield bytes;
    }
  } catch (error) {
    if (sourceFailed) throw sourceFailed.error;
    throw error instanceof HttpError ? error : corrupt(error);
  } finally {
    out.destroy();
  }
}
