import { ApiError } from './api-error.ts';
import { type ErrorCode, statusOf } from './error-code.ts';

export interface ClientOptions {
  /** Where the gateway's API listens, e.g. `https://sluice.example:8443`. */
  readonly base: string;
  /** An OIDC token; left out for public routes. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
  /** Milliseconds until an unanswered request fails; 30 s when absent. Does not limit the length of a stream. */
  readonly timeout?: number;
}

/** Requests and answers of one gateway: addresses, token, errors. */
export class Transport {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;

  constructor(options: ClientOptions) {
    this.#base = parseBase(options.base);
    this.#token = options.token;
    this.#fetch = options.fetch ?? fetch;
    this.#timeout = options.timeout ?? 30_000;
    if (this.#token !== undefined && this.#base.protocol === 'http:' && !isLoopback(this.#base.hostname)) {
      throw new ApiError('tls_required', `A token is not sent over plain HTTP to ${this.#base.host}.`, {
        status: 0,
        hint: 'Use an https:// address, or a loopback one on the machine of the gateway.',
      });
    }
  }

  async json<T>(
    method: string,
    path: string,
    options: { body?: unknown; acceptStatus?: readonly number[] } = {},
  ): Promise<T> {
    const response = await this.#send(method, path, 'application/json', options.body);
    if (!response.ok && !options.acceptStatus?.includes(response.status)) throw await refusal(response);
    return (await parse(response)) as T;
  }

  async stream(path: string, media: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send('GET', path, media);
    if (!response.ok) throw await refusal(response);
    const type = response.headers.get('content-type') ?? '';
    if (!response.body || !type.startsWith(media)) {
      throw new ApiError('bad_answer', `The gateway answered ${type || 'nothing'} where ${media} was due.`);
    }
    return chunks(response.body, this.#base.host);
  }

  async #send(method: string, path: string, accept: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept };
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeout);
    try {
      return await this.#fetch(new URL(path, this.#base), {
        method,
        headers,
        // A redirect could carry the token to someone else.
        redirect: 'error',
        signal: abort.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw unreachable(this.#base.host, abort.signal.aborted ? 'it did not answer in time' : reasonOf(cause), cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseBase(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Reported below, with everything else an address can have wrong.
  }
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new ApiError('not_configured', 'The address of the gateway is not a plain http:// or https:// address.', {
      hint: 'It looks like https://sluice.example:8443, without a path or a user.',
    });
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]+){3}$/.test(hostname);
}

async function* chunks(body: ReadableStream<Uint8Array>, host: string): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw unreachable(host, 'the connection broke in the middle of the answer', cause);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function parse(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new ApiError('bad_answer', `The answer (HTTP ${response.status}) is not JSON.`, {
      status: response.status,
      source: 'gateway',
      hint: 'Check that the address is that of a gateway API.',
      cause,
    });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await parse(response)) as { error?: Record<string, unknown> } | null;
  const error = body?.error;
  const code = error?.['code'];
  if (!error || typeof code !== 'string' || !Object.hasOwn(statusOf, code)) {
    return new ApiError('bad_answer', `The answer (HTTP ${response.status}) is not one of a gateway.`, {
      status: response.status,
      source: 'gateway',
      hint: 'Check that the address is that of a gateway API.',
    });
  }
  return new ApiError(code as ErrorCode, text(error['message']) ?? code, {
    status: response.status,
    ...optional('hint', text(error['hint'])),
    ...optional('requestId', text(error['request_id'])),
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };
}

function unreachable(host: string, why: string, cause: unknown): ApiError {
  return new ApiError('unreachable', `No answer from the gateway at ${host}: ${why}.`, {
    source: 'upstream',
    hint: 'Check that the gateway runs and that the address and port are right.',
    cause,
  });
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name is unknown';
  if (typeof code === 'string' && /CERT|VERIFY|SSL|TLS/.test(code))
    return `its TLS certificate is not trusted (${code})`;
  if (typeof code === 'string') return code;
  return cause instanceof Error ? cause.message : 'the request failed';
}
