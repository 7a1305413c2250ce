// What the tests about approvals share: a gateway whose schemas differ in how writes to them are held, and its people.

import type { ApiClient } from '@sluice/api/client.ts';
import type { AccessRequest } from '@sluice/api/schema/access-request.ts';
import { expect } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import type { TestClaims } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { fieldsOf, type RawMessage, RawPostgres } from '../harness/raw-postgres.ts';

const held = (schema: string, annotations: string): string => `
@id("${schema}") @approval("dba") ${annotations} @reason("Changes are approved by a DBA")
permit (principal in Group::"agents", action in Action::"write", resource in Schema::"shop/${schema}");`;

export const heldPolicies = `
@id("use") permit (principal, action in [Action::"connect", Action::"read", Action::"admin", Action::"execute"], resource)
  unless { principal in Group::"visitors" };
@id("operators") permit (principal in Group::"operators", action == Action::"gateway:view", resource);
@id("visit") @approval("dba") @wait("park") permit (principal in Group::"visitors", action == Action::"connect", resource);
@id("visitors-read") permit (principal in Group::"visitors", action in Action::"read", resource);
${held('park', '@wait("park")')}
${held('resend', '@wait("resend")')}
${held('usual', '')}
${held('hurried', '@wait("park") @timeout("1s")')}
${held('pair', '@wait("park")')}
@id("pair-security") @approval("security") @wait("park") @reason("Security looks at it, too")
forbid (principal, action in Action::"write", resource in Schema::"shop/pair");
`;

const schemas = ['park', 'resend', 'usual', 'hurried', 'pair'];

export const people = {
  agent: { sub: 'bot', kind: 'agent', groups: ['agents'], owner: 'olga' },
  visitor: { sub: 'guest', groups: ['visitors'] },
  owner: { sub: 'olga', groups: ['dba'] },
  dba: { sub: 'alex', groups: ['dba'] },
  both: { sub: 'beth', groups: ['dba', 'security'] },
  security: { sub: 'sam', groups: ['security'] },
  outsider: { sub: 'mallory', groups: ['sales'] },
} as const satisfies Readonly<Record<string, TestClaims>>;

export interface HeldGateway {
  readonly postgres: TestPostgres;
  readonly gateway: TestGateway;
  login(claims?: TestClaims): Promise<RawPostgres>;
  as(claims: TestClaims): Promise<ApiClient>;
  /** The request that waits; there must be exactly one. */
  pending(): Promise<AccessRequest>;
  /** Statements with this in them that the server executed. */
  executed(part: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function createHeldGateway(): Promise<HeldGateway> {
  const postgres = await createTestPostgres({
    log: true,
    init: schemas
      .map(
        (schema) => `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.things (id int PRIMARY KEY, name text);
          INSERT INTO ${schema}.things SELECT n, 'old' FROM generate_series(1, 9) n;`,
      )
      .join('\n'),
  });
  const gateway = await createTestGateway({ postgres, policies: heldPolicies, config: '"approvals": {"park": "1s"}' });
  const reviewer = await gateway.apiAs(people.dba);
  return {
    postgres,
    gateway,
    login: async (claims = people.agent) => RawPostgres.login(gateway, await gateway.token(claims)),
    as: (claims) => gateway.apiAs(claims),
    pending: async () => {
      const list = async () => (await reviewer.accessRequests({ state: 'pending' })).items;
      await expect.poll(async () => (await list()).length).toBe(1);
      const [request] = await list();
      if (!request) throw new Error('none waits');
      return request;
    },
    executed: async (part) =>
      (await postgres.statements()).map(({ text }) => text).filter((text) => text.includes(part)),
    stop: async () => {
      await gateway.stop();
      await postgres.stop();
    },
  };
}

/** The machine-readable line of a refusal or a notice. */
export function detailOf(message: RawMessage | undefined): {
  decision: string;
  policies?: string[];
  request: string;
  url: string;
} {
  return JSON.parse((message && fieldsOf(message)['D']) ?? '{}');
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );
}
