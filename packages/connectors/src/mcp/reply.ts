import type { Json } from '@sluice/core/domain/json.ts';
import type { HttpExchange, HttpHeader } from '../wire/http/exchange.ts';

/** A whole answer of JSON. What is told to one client is for that client, and nobody keeps it. */
export function answerJson(
  exchange: HttpExchange,
  status: number,
  body: Json,
  headers: readonly HttpHeader[] = [],
): Promise<void> {
  const own: readonly HttpHeader[] = [
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
  ];
  return exchange.answer({ status, headers: [...own, ...headers] }, Buffer.from(JSON.stringify(body)));
}

/** The field's value; undefined when it is not there, or there more than once. */
export function header({ headers }: HttpExchange, name: string): string | undefined {
  const found = headers.filter(([other]) => other === name);
  return found.length === 1 ? found[0]?.[1] : undefined;
}
