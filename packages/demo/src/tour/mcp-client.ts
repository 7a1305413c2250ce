import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Stage } from '../start.ts';

/** What a tool answered. */
export interface Answer {
  readonly isError: boolean;
  /** Its text content. */
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
}

/** The official MCP client, at one of the gateway's MCP endpoints with the agent's token. */
export class McpClient {
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport;
  readonly #heard: string[] = [];

  private constructor(client: Client, transport: StreamableHTTPClientTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  /** `path` is `/mcp` for the gateway's own tools, `/mcp/<target>` for an MCP server behind it. */
  static async connect(stage: Stage, path: string): Promise<McpClient> {
    const { port } = stage.listeners.mcp;
    const client = new Client({ name: 'support-agent', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(`http://localhost:${port}${path}`), {
      requestInit: { headers: { authorization: `Bearer ${stage.tokens.agent}` } },
    });
    await client.connect(transport);
    return new McpClient(client, transport);
  }

  heard(): string {
    return this.#heard.join('\n');
  }

  async tools(): Promise<readonly string[]> {
    const { tools } = await this.#client.listTools();
    this.#heard.push(JSON.stringify(tools));
    return tools.map(({ name }) => name);
  }

  async call(name: string, given: Readonly<Record<string, unknown>>): Promise<Answer> {
    const result: CallToolResult = await this.#client.callTool({ name, arguments: { ...given } });
    this.#heard.push(JSON.stringify(result));
    const texts = result.content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`));
    return {
      isError: result.isError === true,
      text: texts.join('\n'),
      structured: { ...(result.structuredContent ?? {}) },
    };
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.#client.readResource({ uri });
    this.#heard.push(JSON.stringify(contents));
    return contents.map((content) => ('text' in content ? content.text : '')).join('\n');
  }

  async close(): Promise<void> {
    await this.#transport.terminateSession().catch(() => undefined);
    await this.#client.close();
  }
}
