// Consent for a request whose body is passed on as it comes: what is approved must be one content, also where policy comes
// to want consent between the moment in which it is asked whether it will and the one in which it decides. Rows are never
// removed.
import { systemClock } from '@sluice/server/telemetry/clock.ts';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, json, startApi, startCrm } from '../harness/http-api.ts';

/** In Unix milliseconds: from this moment on, uploads need consent. */
const from = Date.now() + 60_000;

const policies = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("upload") permit (principal, action in Action::"http:write", resource);
@id("upload-opaque") permit (principal, action == Action::"http:opaque", resource);
@id("late") @approval("reviewers") @reason("Late uploads need consent.")
forbid (principal, action in [Action::"http:write", Action::"http:opaque"], resource) when { context.time >= ${from} };
@id("operators") permit (principal in Group::"operators", action, resource);
`;

let api: Api;
let gateway: AnyGateway;
let token: string;

beforeAll(async () => {
  api = await startApi((request, response) => json(response, { got: request.body.length }));
  gateway = await startCrm(api, { policies });
  token = await gateway.token({ sub: 'worker' });
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

async function upload(text: string): Promise<{ readonly status: number; readonly text: string }> {
  const { host, port } = gateway.at('http');
  const response = await fetch(`http://${host}:${port}/t/crm/files`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: Buffer.from(text),
  });
  return { status: response.status, text: await response.text() };
}

const asked = async () => {
  const operator = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
  return (await operator.accessRequests({})).items;
};

/** The clock goes over the border between any two questions for the time, in turns. */
function flickering(): void {
  let reads = 0;
  vi.spyOn(systemClock, 'now').mockImplementation(() => (reads++ % 2 === 0 ? from - 1 : from));
}

describe('an upload that needs consent from the very moment on in which it is decided', () => {
  test('is bound to its body, or is not asked for', async () => {
    const answers: { readonly status: number; readonly text: string }[] = [];
    for (let n = 0; n < 16; n++) {
      flickering();
      // Every other one begins with the other reading.
      if (n % 2 === 1) systemClock.now();
      answers.push(await upload(`body ${n}`));
      vi.restoreAllMocks();
    }
    const again = answers.filter(({ status, text }) => status === 403 && /[Ss]end it again/.test(text));
    expect(again.length, JSON.stringify(answers.map(({ status }) => status))).toBeGreaterThan(0);
    const requests = await asked();
    for (const request of requests) {
      for (const { text } of request.actions) expect(text).toMatch(/\[\d+ bytes, SHA-256 [0-9a-f]{64}\]/);
    }
    expect(answers.filter(({ status }) => status === 200).length).toBe(api.seen.length);
  }, 90_000);
});
