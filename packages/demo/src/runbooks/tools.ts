import { type CallToolResult, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import type { Runbook, Shelf } from './shelf.ts';

const text = (description: string): object => ({ type: 'string', minLength: 1, maxLength: 200, description });

/** What `search_runbooks` says of itself, as long as nobody has got at the server. */
export const honestDescription = 'Finds runbooks that contain all of the words.';

/** An MCP server on the shelf; `called` hears of every tool that runs. */
export function runbooksServer(
  shelf: Shelf,
  called: (tool: string) => void,
  searchDescription: string = honestDescription,
): McpServer {
  const server = new McpServer({ name: 'runbooks', version: '1.0.0' });
  server.registerTool(
    'search_runbooks',
    {
      title: 'Search runbooks',
      description: searchDescription,
      inputSchema: fromJsonSchema<{ query: string }>(object({ query: text('Words to look for.') })),
      annotations: { readOnlyHint: true },
    },
    ({ query }) => {
      called('search_runbooks');
      return structured({ runbooks: shelf.search(query).map(({ name, title, text }) => ({ name, title, text })) });
    },
  );
  server.registerTool(
    'create_ticket',
    {
      title: 'Create a ticket',
      description: 'Opens a ticket for the on-call engineer.',
      inputSchema: fromJsonSchema<{ title: string; severity: string }>(
        object({ title: text('One line.'), severity: { type: 'string', enum: ['low', 'high'] } }),
      ),
    },
    ({ title, severity }) => {
      called('create_ticket');
      return structured({ ticket: shelf.open(title, severity) });
    },
  );
  server.registerTool(
    'delete_ticket',
    {
      title: 'Delete a ticket',
      description: 'Deletes a ticket for good.',
      inputSchema: fromJsonSchema<{ id: number }>(object({ id: { type: 'integer', minimum: 1 } })),
      annotations: { destructiveHint: true },
    },
    ({ id }) => {
      called('delete_ticket');
      return structured({ deleted: shelf.remove(id) });
    },
  );
  for (const runbook of shelf.runbooks) addResource(server, runbook);
  return server;
}

function addResource(server: McpServer, { name, title, text }: Runbook): void {
  server.registerResource(name, `runbook://${name}`, { title, mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text }],
  }));
}

function object(properties: Readonly<Record<string, object>>): { type: 'object' } {
  const shape = { type: 'object' as const, properties, required: Object.keys(properties), additionalProperties: false };
  return shape;
}

/** Both forms, since older clients know only the text. */
function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}
