import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningCrm, startCrm } from './crm.ts';

const customers = Array.from({ length: 20 }, (_, index) => ({
  id: index + 1,
  name: `Person ${index + 1}`,
  email: `person${index + 1}@example.com`,
  phone: `+44 7700 9000${index + 10}`,
  tier: 'basic',
}));

let dir: string;
let crm: RunningCrm;
let token: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-demo-crm-'));
  crm = await startCrm({ dir, customers });
  token = (await readFile(crm.tokenFile, 'utf8')).trim();
});
afterEach(async () => {
  await crm.stop();
  await rm(dir, { recursive: true, force: true });
});

function ask(path: string, init: RequestInit = {}, bearer = token): Promise<Response> {
  return fetch(`http://${crm.host}:${crm.port}${path}`, { ...init, headers: { authorization: `Bearer ${bearer}` } });
}

const post = (path: string, body: unknown): Promise<Response> =>
  ask(path, { method: 'POST', body: JSON.stringify(body) });

describe('the demo CRM', () => {
  it('knows customers and their tickets', async () => {
    expect(await (await ask('/v1/customers/3')).json()).toEqual({
      ...customers[2],
      tickets: [{ id: 3, customer: 3, subject: 'Charged, but still pending', state: 'open' }],
    });
    expect(await (await ask('/v1/customers?name=person%2020')).json()).toEqual({ customers: [customers[19]] });
    expect((await ask('/v1/customers/99')).status).toBe(404);
  });

  it('makes refunds', async () => {
    expect((await post('/v1/refunds', { order: 4217, amount: 1250, reason: 'late' })).status).toBe(201);
    expect(crm.refunds()).toEqual([{ id: 1, order: 4217, amount: 1250, reason: 'late' }]);
  });

  it.each([
    ['/v1/refunds', { order: 1, amount: -5 }, 422],
    ['/v1/refunds', { order: 1, amount: 1.5 }, 422],
    ['/v1/tickets', { customer: 99, subject: 'x' }, 422],
    ['/v1/nothing', {}, 404],
    ['/v1/tickets', { customer: 1, subject: 'x'.repeat(70_000) }, 413],
  ])('refuses POST %s %j', async (path, body, status) => {
    expect((await post(path, body)).status).toBe(status);
    expect(crm.refunds()).toEqual([]);
  });

  it('deletes customers', async () => {
    expect((await ask('/v1/customers/3', { method: 'DELETE' })).status).toBe(204);
    expect(crm.customer(3)).toBeUndefined();
  });

  it('streams what happened, and what happens', async () => {
    const answer = await ask('/v1/events');
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    await post('/v1/tickets', { customer: 1, subject: 'A new one' });
    let heard = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      heard += chunk;
      if (heard.includes('A new one')) break;
    }
    expect(heard.match(/^event: ticket\.opened$/gm)).toHaveLength(4);
    expect(heard).toContain('person1@example.com');
  });

  it('answers nobody without its token, which is the same after a restart', async () => {
    expect((await ask('/v1/customers/3', {}, 'guess')).status).toBe(401);
    expect(crm.seen.at(-1)).toEqual({ method: 'GET', path: '/v1/customers/3', authorized: false });
    expect((await stat(crm.tokenFile)).mode & 0o077).toBe(0);
    await crm.stop();
    crm = await startCrm({ dir, customers });
    expect((await ask('/v1/customers/3')).status).toBe(200);
  });
});
