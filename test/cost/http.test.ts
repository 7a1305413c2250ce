// What one HTTP request costs, counted: how often policy and the operating system are asked, and what is allocated, where
// the same request comes again on a connection that stays open.
import { createHttpConnector } from '@sluice/connectors/http/connector.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { Engine } from '@sluice/policy/engine.ts';
import { realDisk } from '@sluice/server/recording/disk.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { allocated } from './allocated.ts';
import { type ConnectorRig, createConnectorRig, until } from './connector-rig.ts';
import { MemoryLink } from './memory-link.ts';

const policies = `
@id("agents-read") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("from-here") forbid (principal, action, resource)
unless { context has client_address && context.client_address.isLoopback() };
`;
const secret = 'the-gateway-s-own-secret';

const customer = (n: number) => ({ id: n, name: `Customer ${n}`, email: `customer.${n}@example.com`, orders: [n] });
const document = JSON.stringify({ items: Array.from({ length: 20 }, (_, n) => customer(n + 1)), next: null });
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${document.length}\r\n\r\n${document}`,
);
const ask = (path = '/v1/customers?limit=20') =>
  Buffer.from(`GET /t/crm${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token\r\n\r\n`);

let rig: ConnectorRig;
const writes = { recording: 0 };
let client: MemoryLink;

beforeAll(async () => {
  rig = await createConnectorRig({
    connector: createHttpConnector,
    target: 'crm',
    access: {
      tls: 'disable',
      settings: {},
      address: 'crm.test:80',
      credential: { username: '', secrets: { bearer: new Redacted(secret) } },
    },
    dialAside: () => Promise.reject(new Error('nothing is asked aside')),
    policies,
    labels: { 'pii.email': ['crm.**.email'] },
    disk: {
      ...realDisk,
      write: (...args) => {
        writes.recording++;
        return realDisk.write(...args);
      },
      writeBoth: (...args) => {
        writes.recording++;
        return realDisk.writeBoth(...args);
      },
    },
  });
});
afterAll(() => rig?.stop());
beforeEach(async () => {
  client = new MemoryLink();
  const served = rig.accept(client);
  await exchange();
  return async () => {
    client.end();
    await served;
  };
});

/** Times that anything was written to the target. */
const written = (): number => rig.upstreams.reduce((sum, { writes: made }) => sum + made, 0);

/** Sends a request and the target's answer to it; resolves with what the target and the client were given. */
async function exchange(asked = ask()): Promise<{ readonly sent: string; readonly shown: string }> {
  const [before, answered] = [written(), client.writes];
  client.send(asked);
  await until(() => written() > before);
  // A connection rests for one turn of the loop behind an answer: a request that comes in it has another one.
  let sent = '';
  for (const target of rig.upstreams) {
    const bytes = target.taken().toString('latin1');
    if (bytes === '') continue;
    sent = bytes;
    target.send(answer);
  }
  await until(() => client.writes > answered);
  return { sent, shown: client.taken().toString('utf8') };
}

describe('a request that comes again', () => {
  test('is what it was the first time, masked and with the gateway’s own credential', async () => {
    const first = await exchange();
    expect(first.sent).toContain(`authorization: Bearer ${secret}`);
    expect(first.shown).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(first.shown).not.toMatch(/@example/);
    expect(first.shown.split('"email":"c#***#@#***#.com"')).toHaveLength(21);
    const undated = (text: string): string => text.replace(/\r\ndate: [^\r]*/i, '');
    for (let n = 0; n < 20; n++) {
      const again = await exchange();
      expect(again.sent).toBe(first.sent);
      expect(undated(again.shown)).toBe(undated(first.shown));
    }
  });

  test('is not put to Cedar again', async () => {
    const asked = vi.spyOn(Engine.prototype, 'applying');
    for (let n = 0; n < 100; n++) await exchange();
    expect(asked).not.toHaveBeenCalled();
    // The spy does see what is new.
    await exchange(ask('/v1/other'));
    expect(asked).toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('is written once to the target, once to the client, once to the recording before', async () => {
    await exchange();
    const was = { target: written(), client: client.writes, recording: writes.recording };
    for (let n = 0; n < 100; n++) await exchange();
    expect(written() - was.target).toBe(100);
    expect(client.writes - was.client).toBe(100);
    // What an answer adds goes with the next request, or with the group's round.
    expect(writes.recording - was.recording).toBeGreaterThanOrEqual(100);
    expect(writes.recording - was.recording).toBeLessThanOrEqual(200);
  });

  test('allocates within bounds', async () => {
    for (let n = 0; n < 500; n++) await exchange();
    const each =
      (await allocated(async () => {
        for (let n = 0; n < 500; n++) await exchange();
      })) / 500;
    expect(each).toBeGreaterThan(1_000);
    expect(each).toBeLessThan(110_000);
  });
});
