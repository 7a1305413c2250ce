import { mcpAdapter } from './mcp.ts';
import { contractSuite } from './suite.ts';

contractSuite(mcpAdapter);
