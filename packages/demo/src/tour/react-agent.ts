import { harmless } from '../terminal/ink.ts';
import { type Cell, looseJson } from '../terminal/layout.ts';
import type { Answer, McpClient } from './mcp-client.ts';
import type { Narrator } from './narrator.ts';

const longest = 300;

/**
 * A ReAct agent whose every action is a tool of the gateway. The thoughts are scripted where a model would have them; what
 * it sends and what it hears is real. With each call goes what it claims about its reasoning.
 */
export class ReactAgent {
  readonly #mcp: McpClient;
  readonly #narrator: Narrator;
  #steps = 0;

  constructor(mcp: McpClient, narrator: Narrator) {
    this.#mcp = mcp;
    this.#narrator = narrator;
  }

  async act(thought: string, tool: string, given: Readonly<Record<string, unknown>>): Promise<Answer> {
    this.#steps += 1;
    this.#narrator.thought(thought);
    this.#narrator.action(`${tool} ${JSON.stringify(given)}`);
    const claims = { intent: thought, run: `tour-mcp-${process.pid}`, step: String(this.#steps) };
    // Tools that reach no target take no claims.
    const answer = await this.#mcp.call(tool, 'target' in given ? { ...given, ...claims } : given);
    const rows = rowsOf(answer);
    if (rows) this.#narrator.rows(rows);
    else this.#narrator.observation(harmless(brief(looseJson(answer.text))));
    return answer;
  }
}

/** What `query` answers, as a person would want to see it. */
function rowsOf({ structured }: Answer): readonly Readonly<Record<string, Cell>>[] | undefined {
  const { columns, rows } = (structured['result'] ?? {}) as {
    readonly columns?: readonly { readonly name: string }[];
    readonly rows?: readonly (readonly Cell[])[];
  };
  if (!columns || !rows || rows.length === 0) return undefined;
  return rows.map((cells) => Object.fromEntries(columns.map(({ name }, index) => [name, cells[index]])));
}

function brief(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)} …`;
}
