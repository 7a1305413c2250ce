import type { Json } from '@sluice/core/domain/json.ts';

export interface EmbeddedJson {
  readonly start: number;
  readonly end: number;
  readonly value: Json;
}

/** Beginnings that are tried, and characters that are looked through, before the rest counts as plain text. */
const mostTries = 2_000;
const mostSteps = 8 * 1024 * 1024;

/**
 * Objects and arrays of JSON in a text, in order, without those inside others: the whole text, what follows an
 * introduction, what stands in a fence of Markdown, one per line.
 */
export function findJson(text: string, parse: (text: string) => Json): readonly EmbeddedJson[] {
  const found: EmbeddedJson[] = [];
  let steps = 0;
  let at = nextOpening(text, 0);
  for (let tries = 0; at >= 0 && tries < mostTries && steps < mostSteps; tries++) {
    const end = closingOf(text, at);
    steps += (end < 0 ? text.length : end) - at;
    const value = end < 0 ? undefined : attempt(text.slice(at, end), parse);
    if (value === undefined) {
      at = nextOpening(text, at + 1);
      continue;
    }
    found.push({ start: at, end, value });
    at = nextOpening(text, end);
  }
  return found;
}

function nextOpening(text: string, from: number): number {
  const object = text.indexOf('{', from);
  const array = text.indexOf('[', from);
  if (object < 0) return array;
  return array < 0 ? object : Math.min(object, array);
}

/** Just behind the bracket that closes the one at `start`, with what is between quotes passed over; -1 for none. */
function closingOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      at = closingQuote(text, at);
      if (at < 0) return -1;
    } else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function closingQuote(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}

function attempt(text: string, parse: (text: string) => Json): Json | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
