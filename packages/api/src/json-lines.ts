import { ApiError } from './api-error.ts';

/** Longest line taken, in bytes: a recorded statement may be as long as a protocol message. */
const longestLine = 128 * 1024 * 1024;
const newline = 0x0a;

/** Objects from a stream of JSON Lines. Rejects with an `ApiError` (`bad_answer`) for anything else. */
export async function* jsonLinesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      pending.push(chunk.subarray(from, at));
      const line = joined(pending);
      pending = [];
      size = 0;
      from = at + 1;
      if (line.length > 0) yield parse(decoder, line);
    }
    pending.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > longestLine) throw notLines('a line is longer than this client takes');
  }
  const rest = joined(pending);
  if (rest.length > 0) yield parse(decoder, rest);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const line = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    line.set(part, at);
    at += part.length;
  }
  return line;
}

function parse(decoder: TextDecoder, line: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch {
    throw notLines('a line is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notLines('a line is not an object');
  return value as Record<string, unknown>;
}

function notLines(why: string): ApiError {
  return new ApiError('bad_answer', `The answer is not made of JSON Lines: ${why}.`, { source: 'gateway' });
}
