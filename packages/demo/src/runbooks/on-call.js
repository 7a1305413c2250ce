// The demo's MCP server that is a program: who is on call. It is started by the gateway for each session, speaks on
// standard input and output, and ends with them. Plain JavaScript on purpose: it starts faster without the loader that
// runs TypeScript from sources.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const rota = [
  { service: 'checkout', engineer: 'Dana Whitfield', email: 'dana@example.com', phone: '+44 7700 900456' },
  { service: 'database', engineer: 'Alex Moreau', email: 'alex@example.com', phone: '+44 7700 900789' },
];

serveStdio(() => {
  const server = new McpServer({ name: 'on-call', version: '1.0.0' });
  server.registerTool(
    'who_is_on_call',
    { title: 'Who is on call?', description: 'The rota of this week.', annotations: { readOnlyHint: true } },
    () => ({ content: [{ type: 'text', text: JSON.stringify({ rota }) }], structuredContent: { rota } }),
  );
  return server;
});
