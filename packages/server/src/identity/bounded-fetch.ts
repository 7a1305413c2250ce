/** Bounds for a document that another party serves. */
export interface FetchBounds {
  /** Milliseconds, for everything up to the last byte. */
  readonly timeout: number;
  /** Bytes after decompression. */
  readonly maxBytes: number;
}

/** Fetches one JSON document. Rejects with an Error whose message is for operators. */
export type FetchJson = (url: URL, bounds: FetchBounds) => Promise<unknown>;

/**
 * Refuses what a lying or broken server could use the gateway for: redirects, bodies without end, slow bodies, and
 * addresses that are neither https nor plain http on this machine.
 */
export const fetchJson: FetchJson = async (url, bounds) => {
  const allowed = requireSafeUrl(url.href);
  const signal = AbortSignal.timeout(bounds.timeout);
  let response: Response;
  try {
    response = await fetch(allowed, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  } catch (error) {
    throw new Error(`${url.href} can’t be fetched: ${why(error, bounds)}`, { cause: error });
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    const redirect = response.status >= 300 && response.status < 400 ? ' (redirects are not followed)' : '';
    throw new Error(`${url.href} answered with status ${response.status}${redirect}`);
  }
  const text = await readBounded(response, url, bounds);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${url.href} did not answer with JSON`, { cause: error });
  }
};

async function readBounded(response: Response, url: URL, bounds: FetchBounds): Promise<string> {
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let read = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
      read += value.byteLength;
      if (read > bounds.maxBytes) throw new Error(`the answer is larger than ${bounds.maxBytes} bytes`);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {
      // The connection is given up either way.
    });
    throw new Error(`${url.href} can’t be read: ${why(error, bounds)}`, { cause: error });
  }
}

function why(error: unknown, bounds: FetchBounds): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no complete answer within ${bounds.timeout} ms`;
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return code ?? cause.message;
}

/** The URL, when it is https, or http on this machine, without credentials. Throws otherwise. */
export function requireSafeUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('this is not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new Error('the URL holds a user name or password');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return url;
  throw new Error('the URL is not https; plain http is accepted on loopback only');
}

/** URL parsing has brought every spelling of an IPv4 address into dotted form by now. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
}
