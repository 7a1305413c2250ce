// The gateway's own MCP server, by the official clients of both generations, in front of a real database: what an agent
// can do, what it is told when it may not, and that nothing of one caller is another's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFrontGateway, type FrontClient, type FrontGateway, generations, people } from './mcp-front-gateway.ts';

let front: FrontGateway;
beforeAll(async () => {
  front = await createFrontGateway();
});
afterAll(() => front?.stop());

describe.each(generations)('the %s client', (generation) => {
  let client: FrontClient;
  beforeAll(async () => {
    client = await front.as(people.agent, generation);
  });

  test('is offered tools and told what they are', async () => {
    const tools = await client.tools();
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['list_targets', 'request_status', 'list_my_sessions', 'query', 'describe']),
    );
    const query = tools.find(({ name }) => name === 'query');
    expect(query).toMatchObject({
      annotations: { readOnlyHint: false },
      inputSchema: { required: ['target', 'sql'], properties: { intent: { type: 'string' } } },
      outputSchema: { type: 'object', required: ['status'] },
    });
    expect(client.instructions()).toMatch(/list_targets/);
  });

  test('lists the targets it may connect to', async () => {
    const { status, result } = await client.call('list_targets', {});
    expect(status).toBe('done');
    expect(result['targets']).toEqual([
      { name: 'shop', kind: 'postgres', tags: ['env=test'], operations: ['query', 'describe'] },
    ]);
  });

  test('queries with parameters, and gets typed and masked values', async () => {
    const answer = await client.call('query', {
      target: 'shop',
      sql: 'SELECT id, name, email, born, active FROM app.people WHERE id = $1',
      parameters: [2],
    });
    expect(answer).toEqual({
      status: 'done',
      result: {
        columns: [
          { name: 'id', type: 'int4' },
          { name: 'name', type: 'text' },
          { name: 'email', type: 'text', masked: ['pii.email'] },
          { name: 'born', type: 'date' },
          { name: 'active', type: 'bool' },
        ],
        rows: [[2, 'name 2', expect.not.stringContaining('mail2'), '2001-02-03', true]],
        row_count: 1,
        command: 'SELECT 1',
        truncated: false,
      },
    });
  });
});
