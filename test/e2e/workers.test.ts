// Two workers behind one gateway, before a real PostgreSQL: what is known once reaches both, and what ends in one stays there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';

const policies = `
@id("read") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("write") @approval("dba") permit (principal, action in Action::"write", resource);
@id("operate") permit (principal in Group::"dba", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;
const agent = { sub: 'agent', kind: 'agent' } as const;
const dba = { sub: 'alex', groups: ['dba'] };

let postgres: TestPostgres;
let gateway: TestGateway;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int)' });
  gateway = await createTestGateway({ postgres, policies, config: '"workers": 2' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

describe('with two workers', () => {
  test('sessions work', async () => {
    const client = await gateway.connect(agent);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
});
