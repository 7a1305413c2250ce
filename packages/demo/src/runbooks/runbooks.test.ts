import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onCallCommand, type RunningRunbooks, startRunbooks } from './runbooks.ts';

let dir: string;
let runbooks: RunningRunbooks;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-demo-runbooks-'));
  runbooks = await startRunbooks({ dir });
});
afterEach(async () => {
  await runbooks.stop();
  await rm(dir, { recursive: true, force: true });
});

async function connected(token?: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const shown = token ?? (await readFile(runbooks.tokenFile, 'utf8')).trim();
  const url = new URL(`http://${runbooks.host}:${runbooks.port}${runbooks.path}`);
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${shown}` } } }),
  );
  return client;
}

describe('the runbooks', () => {
  it('offer tools and resources to the official client', async () => {
    const client = await connected();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search_runbooks', 'create_ticket', 'delete_ticket']);
    const found = await client.callTool({ name: 'search_runbooks', arguments: { query: 'payment 401' } });
    expect(found.structuredContent).toMatchObject({ runbooks: [{ name: 'payments-stuck' }] });
    const { contents } = await client.readResource({ uri: 'runbook://refunds' });
    expect(contents).toMatchObject([{ text: expect.stringContaining('Up to 50.00') }]);
    await client.close();
  });

  it('open and delete tickets, and refuse arguments that mean nothing', async () => {
    const client = await connected();
    await client.callTool({ name: 'create_ticket', arguments: { title: 'Checkout is slow', severity: 'high' } });
    expect(runbooks.tickets()).toEqual([{ id: 1, title: 'Checkout is slow', severity: 'high' }]);
    const odd = await client
      .callTool({ name: 'create_ticket', arguments: { title: 'x', severity: 'odd' } })
      .catch(() => ({ isError: true }));
    expect(odd.isError).toBe(true);
    await client.callTool({ name: 'delete_ticket', arguments: { id: 1 } });
    expect(runbooks.tickets()).toEqual([]);
    expect(runbooks.calls).toEqual(['create_ticket', 'delete_ticket']);
    await client.close();
  });

  it('answer nobody without their token', async () => {
    await expect(connected('guess')).rejects.toThrow();
  });
});

it('knows who is on call, as a program', async () => {
  const [command = '', ...args] = onCallCommand;
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command, args: [...args], env: {}, stderr: 'ignore' }));
  const answer = await client.callTool({ name: 'who_is_on_call', arguments: {} });
  expect(JSON.stringify(answer.structuredContent)).toContain('dana@example.com');
  await client.close();
});
