import { checkPort } from './database/port.ts';

/** Where the demo's gateway listens, on loopback; 0 for any free port. */
export interface Ports {
  readonly api: number;
  readonly postgres: number;
  readonly ssh: number;
  readonly http: number;
  readonly mcp: number;
}

export const defaultPorts: Ports = { api: 7480, postgres: 7432, ssh: 7422, http: 7443, mcp: 7450 };

export const anyPorts: Ports = { api: 0, postgres: 0, ssh: 0, http: 0, mcp: 0 };

const purposes: readonly (readonly [keyof Ports, string])[] = [
  ['postgres', 'PostgreSQL'],
  ['ssh', 'SSH'],
  ['http', 'HTTP'],
  ['mcp', 'MCP'],
  ['api', 'the API'],
];

/** Rejects with a sentence for people that names the option which chooses another one. */
export async function checkPorts(ports: Ports): Promise<void> {
  for (const [name, purpose] of purposes) await checkPort(ports[name], purpose, `--${name}-port`);
}
