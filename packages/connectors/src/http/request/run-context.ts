import type { RunContext } from '@sluice/core/domain/run.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';

const longest = 512;

const claims: ReadonlyMap<string, keyof RunContext> = new Map([
  ['sluice-run', 'run'],
  ['sluice-step', 'step'],
  ['sluice-tool-call', 'toolCall'],
  ['sluice-intent', 'intent'],
  ['traceparent', 'traceparent'],
]);

/** What the client claims about its reasoning, in header fields; the first of each counts. */
export function runContextIn(headers: readonly HttpHeader[]): RunContext | undefined {
  const context: { -readonly [K in keyof RunContext]: RunContext[K] } = {};
  for (const [name, value] of headers) {
    const key = claims.get(name);
    if (key === undefined || context[key] !== undefined || value === '') continue;
    // A field's bytes come as characters of Latin 1; people write UTF-8.
    context[key] = textOf(value)
      .slice(0, longest)
      .replace(/\0|\p{Cs}/gu, '\ufffd');
  }
  return Object.keys(context).length > 0 ? context : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A field's bytes come as characters of Latin 1; most people write UTF-8. */
function textOf(value: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
