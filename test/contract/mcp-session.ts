/** A client of MCP for the contract suite: one POST per ask, one after the other, and a stream for what is said unasked. */
import { Agent, request } from 'undici';
import type { Address, Answer, Ask, ContractSession, Opened, Proof, Words } from './adapter.ts';

export const forms = ['call'] as const;
const mostKept = 16 * 1024 * 1024;

type Message = Readonly<Record<string, unknown>>;

export async function openMcp(at: Address, proof: Proof, target: string): Promise<Opened> {
  const token = proof.kind === 'token' ? proof.token : `${proof.id}:${proof.secret}`;
  const session = new McpSession(`http://localhost:${at.port}/mcp/${target}`, token, at);
  return session.begin();
}

class McpSession implements ContractSession {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #token: string;
  readonly #received: Buffer[] = [];
  #kept = 0;
  #session: string | undefined;
  #next = 1;
  /** The request under way. */
  #current: number | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  readonly #answers: Promise<Answer>[] = [];
  #over: Promise<Words | undefined> = Promise.resolve(undefined);

  constructor(url: string, token: string, at: Address) {
    this.#url = url;
    this.#token = token;
    this.#agent = new Agent({
      connect: { host: at.host, port: at.port } as never,
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
    });
  }

  async begin(): Promise<Opened> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'contract', version: '1' } };
    const { status, session, messages } = await this.#post(
      JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
    );
    const [message = {}] = messages;
    if (status !== 200 || session === undefined) {
      await this.#agent.destroy();
      return { open: false, words: wordsOf(message, status) };
    }
    this.#session = session;
    await this.#post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    const stream = await request(this.#url, { dispatcher: this.#agent, headers: this.#headers() });
    this.#over = this.#listen(stream.body);
    return { open: true, session: this };
  }

  send(...asks: readonly Ask[]): void {
    for (const ask of asks) this.#enqueue(() => this.#ask(ask));
  }

  answer(): Promise<Answer> {
    const answer = this.#answers.shift();
    if (!answer) throw new Error('nothing was asked');
    return answer;
  }

  notice(): Promise<{ readonly request: string }> {
    return Promise.reject(new Error('nothing is parked'));
  }

  raw(bytes: Uint8Array): void {
    this.#enqueue(async () => {
      const { status, messages } = await this.#post(bytes);
      return answerOf(messages.at(-1) ?? {}, status);
    });
  }

  async cancel(): Promise<void> {
    const params = { requestId: this.#current };
    await this.#post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => {});
    await request(this.#url, { method: 'DELETE', dispatcher: this.#agent, headers: this.#headers() }).then(
      ({ body }) => body.dump(),
      () => {},
    );
    await this.#over;
    await this.#agent.destroy();
  }

  drop(): void {
    void this.#agent.destroy();
  }

  ended(): Promise<Words | undefined> {
    return this.#over;
  }

  received(): Buffer {
    return Buffer.concat(this.#received);
  }

  #enqueue(act: () => Promise<Answer>): void {
    const answer = this.#tail.catch(() => {}).then(act);
    answer.catch(() => {});
    this.#tail = answer;
    this.#answers.push(answer);
  }

  async #ask({ text }: Ask): Promise<Answer> {
    const id = this.#next++;
    this.#current = id;
    const { status, messages } = await this.#post(JSON.stringify({ jsonrpc: '2.0', id, ...requestOf(text) }));
    return answerOf(messages.at(-1) ?? {}, status);
  }

  #headers(): Record<string, string> {
    return {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
    };
  }

  async #post(
    body: string | Uint8Array,
  ): Promise<{ status: number; session: string | undefined; messages: readonly Message[] }> {
    const {
      statusCode,
      headers,
      body: given,
    } = await request(this.#url, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: this.#headers(),
      body,
    });
    let text = '';
    for await (const chunk of given) {
      this.#keep(chunk as Buffer);
      text = (text + (chunk as Buffer).toString()).slice(-mostKept);
    }
    const id = headers['mcp-session-id'];
    const stream = String(headers['content-type']).startsWith('text/event-stream');
    const parts = stream ? dataIn(text) : text === '' ? [] : [text];
    const messages = parts.map((part) => JSON.parse(part) as Message);
    return { status: statusCode, session: typeof id === 'string' ? id : undefined, messages };
  }

  async #listen(body: AsyncIterable<Buffer>): Promise<Words | undefined> {
    let text = '';
    try {
      for await (const chunk of body) {
        this.#keep(chunk);
        text += chunk.toString();
      }
    } catch {
      // Cut off; what was said until then counts.
    }
    const said = dataIn(text).map((part) => JSON.parse(part) as { params?: { level?: string; data?: unknown } });
    const last = said.findLast(({ params }) => params?.level === 'alert');
    return last && { code: 'alert', message: String(last.params?.data) };
  }

  #keep(chunk: Buffer): void {
    if (this.#kept < mostKept) this.#received.push(chunk);
    this.#kept += chunk.length;
  }
}

function requestOf(text: string): Message {
  const [, method = '', name = '', rest = ''] = /^(\S+) (\S+)(?: (.*))?$/s.exec(text) ?? [];
  if (method.startsWith('resources/')) return { method, params: { uri: name } };
  return { method, params: { name, arguments: JSON.parse(rest) as unknown } };
}

function dataIn(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('data: '));
  return lines.map((line) => line.slice(6)).filter((line) => line.endsWith('}'));
}

interface Refused {
  readonly decision: string;
  readonly reason: string;
  readonly policies: readonly string[];
  readonly request?: string;
  readonly url?: string;
  readonly hint: string;
}

function answerOf(message: Message, status: number): Answer {
  const { result, error } = message as {
    result?: { content?: { text?: string }[]; _meta?: Record<string, unknown>; contents?: { text?: string }[] };
    error?: { code: number; message: string; data?: Refused };
  };
  const refusal = (result?._meta?.['sluice/refusal'] ?? (error?.code === -32080 ? error.data : undefined)) as
    | Refused
    | undefined;
  if (refusal) {
    const { decision, reason, policies, request: id, url, hint } = refusal;
    return {
      outcome: 'refused',
      code: String(error?.code ?? 'isError'),
      message: reason,
      refusal: { decision, reason, policies, request: id, url, hint },
    };
  }
  if (!result) return { outcome: 'failed', ...wordsOf(message, status) };
  const values = (result.content ?? result.contents ?? []).map(({ text }) => text ?? null);
  return { outcome: 'done', values, items: values.length };
}

function wordsOf(message: Message, status: number): Words {
  const {
    error,
    message: said,
    result,
  } = message as {
    error?: { code: number; message: string } | string;
    message?: string;
    result?: unknown;
  };
  // Where no target of the protocol is, the gateway's own tools are: no session, and nothing of a target's.
  if (result !== undefined) return { code: 'no session', message: 'There is no such target here.' };
  if (typeof error === 'object') return { code: String(error.code), message: error.message };
  return { code: String(error ?? status), message: said ?? '' };
}
