// Who is let in, and what somebody who is not learns. Rows are never removed.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cstring, fieldsOf, int32, message, query, RawPostgres, shown, startup } from '../harness/raw-postgres.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';

let postgres: TestPostgres;
let gateway: TestGateway;
let credential: { id: string; secret: string };

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int)' });
  gateway = await createTestGateway({ postgres });
  const api = await gateway.apiAs({ sub: 'agent', kind: 'agent' });
  credential = await api.issueAccessCredential({ target: 'shop' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function hello(parameters: Record<string, string>): Promise<RawPostgres> {
  const client = await RawPostgres.open(gateway.host, gateway.port);
  client.send(startup(parameters));
  return client;
}

/** Everything of the refusal, and nothing that differs by chance. */
async function refusal(client: RawPostgres): Promise<string[]> {
  return (await client.rest()).map((one) =>
    one.type === 'E' ? JSON.stringify(fieldsOf(one)) : one.body.toString('latin1').replace(/[rs]=[^,]*/g, ''),
  );
}

const proof = (first: string) =>
  message('p', cstring('SCRAM-SHA-256'), int32(Buffer.byteLength(first)), Buffer.from(first));

describe('an access credential that exists and one that does not are told apart by nothing', () => {
  test.each([
    ['a wrong secret', 'n,,n=,r=abcdefghijkl'],
    ['a claim that the server has no channel binding', 'y,,n=,r=abcdefghijkl'],
    ['channel binding without TLS', 'p=tls-server-end-point,,n=,r=abcdefghijkl'],
    ['another identity to act for', 'n,a=admin,n=,r=abcdefghijkl'],
    ['a mandatory extension', 'n,,m=x,n=,r=abcdefghijkl'],
    ['an empty nonce', 'n,,n=,r='],
    ['a name without end', `n,,n=${'x'.repeat(5_000)},r=abcdefghijkl`],
    ['nothing', ''],
  ])('by %s', async (_, first) => {
    const seen: string[][] = [];
    for (const user of [credential.id, `sac_${'A'.repeat(credential.id.length - 4)}`]) {
      const client = await hello({ user, database: 'shop' });
      await client.until('R');
      client.send(proof(first));
      const answer = await client.message();
      if (answer?.type === 'R') {
        const nonce = /r=([^,]*)/.exec(answer.body.toString('utf8', 4))?.[1];
        client.send(message('p', Buffer.from(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`)));
        seen.push(await refusal(client));
      } else seen.push([JSON.stringify(answer && fieldsOf(answer))]);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.join()).toContain('28P01');
  });

  test.each([
    ['SCRAM-SHA-256-PLUS without TLS', message('p', cstring('SCRAM-SHA-256-PLUS'), int32(0))],
    ['an unknown mechanism', message('p', cstring('PLAIN'), int32(5), Buffer.from('\0a\0b\0'))],
    ['a password instead', message('p', cstring('secret'))],
    ['a length beyond the message', message('p', cstring('SCRAM-SHA-256'), int32(999), Buffer.from('n,,'))],
    ['a negative length', message('p', cstring('SCRAM-SHA-256'), int32(-1))],
    ['a query instead', query('SELECT 1')],
  ])('nor is anybody let in by %s', async (_, bytes) => {
    for (const user of [credential.id, `sac_${'A'.repeat(credential.id.length - 4)}`]) {
      const client = await hello({ user, database: 'shop' });
      await client.until('R');
      client.send(bytes);
      expect((await client.rest()).map(shown)).toEqual(['E:08P01']);
    }
  });
});

describe('a token', () => {
  test.each([
    ['that has expired', { ttl: -60 }],
    ['that is not valid yet', { more: { nbf: Math.floor(Date.now() / 1_000) + 3_600 } }],
  ])('%s lets nobody in', async (_, claims) => {
    const token = await gateway.token({ sub: 'agent', kind: 'agent', ...claims });
    const parts = token.split('.');
    for (const one of [token, `${parts[0]}.${parts[1]}.`, `${token}x`, token.toUpperCase()]) {
      const client = await hello({ user: 'anyone', database: 'shop' });
      await client.until('R');
      client.send(message('p', cstring(one)));
      const answers = (await client.rest()).map(shown);
      expect(answers).toEqual(['E:28P01']);
    }
  });
});

test.each([
  ['user', { user: 'a\n{"level":50}\u001b[31m\u202e', database: 'shop' }],
  ['database', { user: 'x', database: 'sh\nop\u001b[2J' }],
])('control characters in the %s stay out of the log', async (_, parameters) => {
  const client = await hello(parameters);
  await client.until('R');
  client.send(message('p', cstring('SECRET.that.nobody-logs')));
  expect((await client.rest()).map(shown)).toEqual(['E:28P01']);
});

test('the log is lines of JSON, without secrets and without what a terminal would obey', async () => {
  const log = await readFile(gateway.logFile, 'utf8');
  for (const line of log.split('\n').filter(Boolean)) expect(() => JSON.parse(line)).not.toThrow();
  expect(log).not.toMatch(/[\u007f-\u009f\p{Cf}]|SECRET\.that/u);
  for (const character of ['\u001b', '\u202e']) expect(log).not.toContain(character);
  for (const secret of [postgres.password, credential.secret, 'eyJ']) expect(log).not.toContain(secret);
  await expect(sealedRecordings(gateway)).resolves.toBeGreaterThanOrEqual(0);
});
