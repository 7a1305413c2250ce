// The same server as a program, for `command`: MCP's stdio transport. A tool tells its environment.
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { McpWorld, serverOver } from './mcp-world.ts';

const world = new McpWorld();
world.tools.set('environment', {
  definition: { name: 'environment', description: 'Tells the environment.', inputSchema: { type: 'object' } },
  run: () => ({ content: [{ type: 'text', text: JSON.stringify(Object.keys(process.env).sort()) }] }),
});
process.stdout.write('a line that is no message\n');
await serverOver(world).connect(new StdioServerTransport());
