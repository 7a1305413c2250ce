import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Stage } from '../start.ts';

export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface WebRequest {
  readonly method: string;
  /** Below the target. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** Breaks the answer off once this is true of what came so far: for streams. */
  readonly enough?: (text: string) => boolean;
}

/** An HTTPS client that trusts the demo's authority and shows the agent's token. All its requests use one connection. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #stage: Stage;
  readonly #target: string;
  readonly #heard: string[] = [];

  private constructor(stage: Stage, target: string, agent: Agent) {
    this.#stage = stage;
    this.#target = target;
    this.#agent = agent;
  }

  static async create(stage: Stage, target: string): Promise<HttpClient> {
    const ca = await readFile(stage.certificates.authority, 'utf8');
    return new HttpClient(stage, target, new Agent({ keepAlive: true, maxSockets: 1, ca }));
  }

  heard(): string {
    return this.#heard.join('\n');
  }

  async ask(wanted: WebRequest): Promise<WebAnswer> {
    const answer = await this.#ask(wanted);
    this.#heard.push(JSON.stringify(answer.headers), answer.text);
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask({ method, path, body, enough }: WebRequest): Promise<WebAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          agent: this.#agent,
          host: 'localhost',
          port: this.#stage.listeners.http.port,
          method,
          path: `/t/${this.#target}${path}`,
          headers: {
            authorization: `Bearer ${this.#stage.tokens.agent}`,
            // RFC 7240 section 4.1: what has to wait for consent is answered at once.
            prefer: 'respond-async',
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (answer) => read(answer, enough).then(resolve, reject),
      );
      asked.on('error', reject);
      asked.end(text);
    });
  }
}

async function read(answer: IncomingMessage, enough: WebRequest['enough']): Promise<WebAnswer> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer as AsyncIterable<string>) {
    text += piece;
    if (enough?.(text)) break;
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}
