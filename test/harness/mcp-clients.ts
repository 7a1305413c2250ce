// The official clients of both generations, and one without manners, against `/mcp/<target>`.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export type Generation = 'modern' | 'older';
export const generations: readonly Generation[] = ['modern', 'older'];

export function connectModern(url: URL, token: string, options: Record<string, unknown> = {}): Promise<ModernClient> {
  const client = new ModernClient({ name: 'test-client', version: '2' }, options);
  const transport = new ModernTransport(url, { requestInit: { headers: { authorization: `Bearer ${token}` } } });
  return client.connect(transport).then(() => client);
}

export function connectOlder(url: URL, token: string): Promise<OlderClient> {
  const client = new OlderClient({ name: 'test-client', version: '1' });
  const transport = new OlderTransport(url, { requestInit: { headers: { authorization: `Bearer ${token}` } } });
  return client.connect(transport as never).then(() => client);
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Messages, whether they came as JSON or as a stream. */
  readonly messages: readonly Record<string, unknown>[];
}

/** Sends what it is told, headers and bytes as they are. */
export class RawMcp {
  readonly url: URL;
  readonly token: string;
  session: string | undefined;

  constructor(url: URL, token: string) {
    this.url = url;
    this.token = token;
  }

  async open(version = '2025-11-25'): Promise<RawAnswer> {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'raw', version: '0' } };
    const answer = await this.post({ jsonrpc: '2.0', id: 'init', method: 'initialize', params });
    this.session = answer.headers.get('mcp-session-id') ?? undefined;
    return answer;
  }

  headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      authorization: `Bearer ${this.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(this.session === undefined ? {} : { 'mcp-session-id': this.session }),
      ...more,
    };
  }

  async post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(this.url, { method: 'POST', headers: this.headers(headers), body: text });
    return read(response);
  }

  /** A request's result or error. */
  async ask(
    method: string,
    params: unknown = {},
    id: string | number = Math.floor(Math.random() * 1e9),
  ): Promise<Reply> {
    const { messages } = await this.post({ jsonrpc: '2.0', id, method, params });
    const last = messages.at(-1) ?? {};
    return last as unknown as Reply;
  }

  async call(name: string, args: unknown = {}): Promise<ToolReply> {
    const { result, error } = await this.ask('tools/call', { name, arguments: args });
    if (error) throw new Error(`${error.code} ${error.message}`);
    return result as unknown as ToolReply;
  }

  get(headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, { method: 'GET', headers: this.headers(headers), ...(signal ? { signal } : {}) });
  }

  async leave(): Promise<number> {
    return (await fetch(this.url, { method: 'DELETE', headers: this.headers() })).status;
  }
}

export interface Reply {
  readonly id?: string | number | null;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

export interface ToolReply {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
  readonly _meta?: Record<string, unknown>;
}

async function read(response: Response): Promise<RawAnswer> {
  const text = await response.text();
  const stream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const parts = stream
    ? text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice(6))
    : text === ''
      ? []
      : [text];
  return { status: response.status, headers: response.headers, messages: parts.map((part) => JSON.parse(part)) };
}
