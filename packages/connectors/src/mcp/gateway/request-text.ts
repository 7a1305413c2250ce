const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A request as it is sent: what stands in `body` (`{"method":…,"params":{…}}`, without spaces), word for word, with an id
 * in front and, where somebody wants to hear of progress, a token for it behind the params: the id again, so that there
 * is one per request, and none that a client chose.
 */
export function requestText(id: number, body: Uint8Array, progress: boolean): string {
  const text = utf8.decode(body);
  const head = `{"jsonrpc":"2.0","id":${id},`;
  if (!progress) return head + text.slice(1);
  const comma = text.endsWith('{}}') ? '' : ',';
  return `${head}${text.slice(1, -2)}${comma}"_meta":{"progressToken":${id}}}}`;
}
