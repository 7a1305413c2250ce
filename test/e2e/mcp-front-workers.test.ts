// The rest of a result where several workers serve: it is kept by the one that gave it. Connections from one address lead to
// one worker, so that a client that opens another one still gets its rows; where they lead to another worker, it is told to
// ask anew, and is given nobody else's.
import { Agent, request } from 'node:http';
import { Spread } from '@sluice/server/workers/spread.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workersOf } from '../harness/workers.ts';
import { type Answer, createFrontGateway, type FrontGateway, people } from './mcp-front-gateway.ts';

const workers = [{ number: 1 }, { number: 2 }];
const workerFor = (address: string): number | undefined => new Spread().ofAddress(address, workers)?.number;
const addresses = Array.from({ length: 50 }, (_, index) => `127.0.0.${index + 1}`);
/** Two addresses of this machine, and the workers that serve them. */
const here = '127.0.0.1';
const there = addresses.find((address) => workerFor(address) !== workerFor(here)) ?? '';

let front: FrontGateway;
beforeAll(async () => {
  front = await createFrontGateway({ config: '"workers": 2' });
});
afterAll(() => front?.stop());

type Ask = (args: Record<string, unknown>, from?: string) => Promise<Answer>;

/** One client, each of whose calls comes over a connection of its own, from the address that is said. */
async function clientOf(sub: string): Promise<Ask> {
  const token = await front.gateway.token({ ...people.agent, sub });
  return async (args, from = here) => {
    const params = { name: 'query', arguments: { target: 'shop', max_rows: 2, ...args } };
    const text = await post(token, from, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
    const { result } = JSON.parse(text.replace(/^[^{]*/, ''));
    return { isError: result.isError, ...result.structuredContent };
  };
}

function post(token: string, localAddress: string, body: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'user-agent': 'one/1',
  };
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const sent = request(front.url, { method: 'POST', headers, localAddress, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const ids = ({ result }: Answer) => (result['rows'] as [number][]).map(([id]) => id);
const from = (id: number) => ({ sql: `SELECT id FROM app.people WHERE id >= ${id} ORDER BY id` });
const rest = ({ result }: Answer) => ({ cursor: result['cursor'] });
const gone = { isError: true, status: 'failed', code: 'cursor_gone' };

describe.skipIf(process.platform !== 'linux')('a cursor, with two workers (Linux: any 127.0.0.x is its own)', () => {
  test('is good over another connection from the same address', async () => {
    const ask = await clientOf('steady');
    for (const address of [here, there]) {
      const first = await ask(from(1), address);
      const second = await ask(rest(first), address);
      expect([ids(first), ids(second)]).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(ids(await ask(rest(second), address))).toEqual([5, 6]);
    }
  });

  test('is gone at the other worker, in the words for one that never was, and still good at its own', async () => {
    const ask = await clientOf('wandering');
    const first = await ask(from(10));
    const elsewhere = await ask(rest(first), there);
    expect(elsewhere).toMatchObject(gone);
    expect(elsewhere).toEqual(await ask({ cursor: 'A'.repeat(String(first.result['cursor']).length) }, there));
    expect(elsewhere).not.toHaveProperty('result');
    expect(ids(await ask(rest(first)))).toEqual([12, 13]);
  });

  test('never gives the rows of a result that the other worker keeps, to whomever', async () => {
    const [one, other] = [await clientOf('one'), await clientOf('other')];
    const mine = await one(from(20), here);
    const theirs = await other(from(30), there);
    const again = await one(from(40), there);
    for (const [ask, cursor, at] of [
      [one, mine, there],
      [other, mine, there],
      [other, mine, here],
      [other, theirs, here],
      [one, theirs, here],
      [one, theirs, there],
      [one, again, here],
      [other, again, there],
    ] as const) {
      expect(await ask(rest(cursor), at)).toMatchObject(gone);
    }
    expect(ids(await one(rest(mine), here))).toEqual([22, 23]);
    expect(ids(await other(rest(theirs), there))).toEqual([32, 33]);
    expect(ids(await one(rest(again), there))).toEqual([42, 43]);
  });

  test('is gone with its worker, and the statement can be sent again at once', { timeout: 60_000 }, async () => {
    const ask = await clientOf('bereft');
    const first = await ask(from(50), there);
    const pid = (await workersOf(front.gateway.dir)).get(workerFor(there) ?? 0) ?? 0;
    process.kill(pid, 'SIGKILL');
    const serving = async () => [...(await workersOf(front.gateway.dir)).values()];
    await expect.poll(serving, { timeout: 20_000 }).not.toContain(pid);
    expect(await ask(rest(first), there)).toMatchObject(gone);
    expect(ids(await ask(from(50), there))).toEqual([50, 51]);
  });
});
