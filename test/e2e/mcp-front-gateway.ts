// A gateway with a PostgreSQL target and its own MCP endpoint, and clients of both generations of the official library.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type AnyGateway, type AnyGatewayOptions, createAnyGateway } from '../harness/any-gateway.ts';
import type { TestClaims } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

export interface Answer {
  readonly isError?: boolean;
  /** The structured content. */
  readonly status: string;
  readonly result: Record<string, unknown>;
  readonly [other: string]: unknown;
}

/** A client of either generation, as far as the tests need it. */
export interface FrontClient {
  call(name: string, args: Record<string, unknown>, meta?: Record<string, unknown>): Promise<Answer>;
  tools(): Promise<readonly { readonly name: string; readonly [other: string]: unknown }[]>;
  instructions(): string;
  close(): Promise<void>;
}

export type Generation = 'modern' | 'older';
export const generations: readonly Generation[] = ['modern', 'older'];

export interface FrontGateway {
  readonly gateway: AnyGateway;
  readonly postgres: TestPostgres;
  readonly url: URL;
  as(claims: TestClaims, generation?: Generation): Promise<FrontClient>;
  withToken(token: string, generation?: Generation): Promise<FrontClient>;
  /** At another address, with any secret. */
  at(url: URL, secret: string, generation?: Generation): Promise<FrontClient>;
  stop(): Promise<void>;
}

export const people = {
  agent: { sub: 'bot', kind: 'agent', groups: ['agents'], owner: 'olga' },
  other: { sub: 'other-bot', kind: 'agent', groups: ['agents'], owner: 'olga' },
  trusted: { sub: 'tina', groups: ['agents', 'trusted'] },
  visitor: { sub: 'vera', groups: ['visitors'] },
  nobody: { sub: 'nobody', groups: [] },
  dba: { sub: 'dora', groups: ['dba'] },
  operator: { sub: 'operator', groups: ['operators'] },
} as const satisfies Readonly<Record<string, TestClaims>>;

export const policies = `
@id("agents-connect") permit (principal in Group::"agents", action == Action::"connect", resource);
@id("agents-read") permit (principal in Group::"agents", action in [Action::"read", Action::"write", Action::"execute"], resource);
@id("agents-session") permit (principal in Group::"agents", action in [Action::"sql:compute", Action::"sql:session", Action::"sql:transaction"], resource);
@id("trusted-reveal") permit (principal in Group::"trusted", action == Action::"reveal", resource);
@id("no-secrets") @reason("Secrets are nobody's business")
forbid (principal, action == Action::"sql:select", resource) when { context.tables.contains("app.secrets") };
@id("no-salary") @reason("Salaries are for the payroll")
forbid (principal, action == Action::"sql:select", resource) when { context.columns.contains("app.people.salary") };
@id("deletes-wait") @approval("dba") @reason("Deleting takes a DBA")
forbid (principal, action == Action::"sql:delete", resource);
@id("ledger-waits") @approval("dba") @reason("The ledger is read with consent")
forbid (principal, action == Action::"sql:select", resource == Table::"shop/app/ledger");
@id("few-logs") @limit_rows("2") permit (principal in Group::"agents", action == Action::"sql:select", resource == Table::"shop/app/logs");
@id("visitors-connect") @approval("dba") @reason("Visitors are let in by a DBA")
permit (principal in Group::"visitors", action == Action::"connect", resource);
@id("visitors-compute") permit (principal in Group::"visitors", action == Action::"sql:compute", resource);
@id("operators") permit (principal in Group::"operators", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;

const init = `
CREATE SCHEMA app;
CREATE TABLE app.people (id int PRIMARY KEY, name text, email text, salary numeric, born date, active boolean);
INSERT INTO app.people SELECT n, 'name ' || n, 'mail' || n || '@example.com', n * 10.5, '2001-02-03', n % 2 = 0 FROM generate_series(1, 500) n;
CREATE TABLE app.secrets (id int, secret text);
INSERT INTO app.secrets VALUES (1, 'do not tell');
CREATE TABLE app.logs (id int, line text, size bigint, parts text[]);
INSERT INTO app.logs SELECT n, 'line ' || n, 9007199254740993, ARRAY['a', 'b'] FROM generate_series(1, 10) n;
CREATE TABLE app.ledger (id int, amount numeric);
CREATE TABLE app.scratch (id serial PRIMARY KEY, note text);
CREATE VIEW app.mails AS SELECT id, email FROM app.people;
`;

export async function createFrontGateway(more: Partial<AnyGatewayOptions> = {}): Promise<FrontGateway> {
  const postgres = await createTestPostgres({ init });
  const target = {
    name: 'shop',
    connector: 'postgres',
    address: `${postgres.host}:${postgres.port}`,
    database: postgres.database,
    tls: 'disable',
    credential: { username: postgres.superuser, password: 'file:password' },
    tags: ['env=test'],
  };
  let gateway: AnyGateway;
  try {
    gateway = await createAnyGateway({
      listen: ['mcp', 'postgres'],
      targets: [target, { ...target, name: 'down', address: '127.0.0.1:1' }],
      files: { password: postgres.password },
      policies,
      masking: { labels: { 'pii.email': ['shop.app.people.email'] }, strategies: { 'pii.email': 'redact' } },
      ...more,
    });
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  const { host, port } = gateway.at('mcp');
  const url = new URL(`http://${host}:${port}/mcp`);
  const clients: FrontClient[] = [];
  const at = async (there: URL, secret: string, generation: Generation = 'modern'): Promise<FrontClient> => {
    const client = await (generation === 'modern' ? modern(there, secret) : older(there, secret));
    clients.push(client);
    return client;
  };
  const withToken = (token: string, generation?: Generation): Promise<FrontClient> => at(url, token, generation);
  return {
    gateway,
    postgres,
    url,
    withToken,
    at,
    as: async (claims, generation) => withToken(await gateway.token(claims), generation),
    stop: async () => {
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
      await gateway.stop();
      await postgres.stop();
    },
  };
}

async function modern(url: URL, token: string): Promise<FrontClient> {
  const client = new ModernClient({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new ModernTransport(url, { requestInit }));
  return {
    call: async (name, args, meta) =>
      answerOf(await client.callTool({ name, arguments: args, ...(meta ? { _meta: meta } : {}) })),
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions() ?? '',
    close: () => client.close(),
  };
}

async function older(url: URL, token: string): Promise<FrontClient> {
  const client = new OlderClient({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new OlderTransport(url, { requestInit }) as Parameters<OlderClient['connect']>[0]);
  return {
    call: async (name, args, meta) =>
      answerOf(await client.callTool({ name, arguments: args, ...(meta ? { _meta: meta } : {}) })),
    tools: async () => (await client.listTools()).tools,
    instructions: () => client.getInstructions() ?? '',
    close: () => client.close(),
  };
}

function answerOf(result: object): Answer {
  const { structuredContent, isError, content } = result as {
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
    content?: { type: string; text?: string }[];
  };
  const said = JSON.parse(content?.[0]?.text ?? 'null');
  if (JSON.stringify(said) !== JSON.stringify(structuredContent)) throw new Error('text and structure differ');
  return { ...(isError ? { isError } : {}), ...structuredContent } as Answer;
}
