// What was made of a statement is kept and used again when it comes again. Each row makes a statement familiar in one
// circumstance and sends the very same one in another, where it must be decided, described and shown as if it had never
// been seen. Rows are never removed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import type { TestClaims } from '../harness/issuer.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  cellsOf,
  execute,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  shown,
  sync,
} from '../harness/raw-postgres.ts';

const policies = `
@id("use") permit (
  principal in Group::"staff",
  action in [Action::"connect", Action::"read", Action::"write", Action::"execute", Action::"admin"],
  resource
);
@id("not-there") forbid (principal, action in Action::"read", resource in Schema::"shop/closed")
  unless { principal in Group::"owners" };
@id("not-elsewhere") forbid (principal, action in Action::"read", resource == Table::"spare/public/items");
@id("sees") permit (principal in Group::"trusted", action == Action::"reveal", resource in Label::"pii");
`;
/** With it, a decision about reading depends on the session; without it, on nothing but who asks for what. */
const onceSeen = `
@id("once-seen") forbid (principal, action == Action::"sql:select", resource == Table::"shop/public/notes")
  when { context.labels_seen.contains("pii") };
`;

const init = `
CREATE SCHEMA closed;
CREATE TABLE closed.items (name text);
INSERT INTO closed.items VALUES ('closed');
CREATE SCHEMA "open\u0001closed";
CREATE TABLE "open\u0001closed".items (name text);
INSERT INTO "open\u0001closed".items VALUES ('elsewhere');
CREATE SCHEMA "open,closed";
CREATE TABLE "open,closed".items (name text);
INSERT INTO "open,closed".items VALUES ('elsewhere');
CREATE SCHEMA open;
CREATE TABLE items (name text);
INSERT INTO items VALUES ('open');
CREATE TABLE notes (body text);
INSERT INTO notes VALUES ('note');
CREATE TABLE people (id int, ssn text);
INSERT INTO people VALUES (1, '123-45-6789');
`;

let postgres: TestPostgres;
let gateway: TestGateway;
beforeAll(async () => {
  postgres = await createTestPostgres({ init });
  const spare = {
    name: 'spare',
    connector: 'postgres',
    address: `${postgres.host}:${postgres.port}`,
    database: postgres.database,
    tls: 'disable',
    credential: { username: postgres.superuser, password: 'file:password' },
  };
  gateway = await createTestGateway({ postgres, policies, labels: { pii: ['*.people.ssn'] }, moreTargets: [spare] });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

const member = { sub: 'member', kind: 'agent', groups: ['staff'] } as const;
const owner = { sub: 'owner', kind: 'user', groups: ['staff', 'trusted', 'owners'] } as const;
const trusted = { sub: 'trusted', kind: 'agent', groups: ['staff', 'trusted'] } as const;

type Way = (client: RawPostgres, text: string) => Promise<string>;

function came(answer: readonly RawMessage[]): string {
  const error = answer.find(({ type }) => type === 'E');
  if (error) return shown(error);
  return answer
    .filter(({ type }) => type === 'D')
    .map((row) => cellsOf(row).join())
    .join();
}

const simple: Way = async (client, text) => {
  client.send(query(text));
  return came(await client.until('Z'));
};
const extended: Way = async (client, text) => {
  client.send(parse('', text), bind('', ''), execute(''), sync);
  return came(await client.until('Z'));
};

let sent = 0;
/** Never the same text twice, so that what is known of it is known by its shape. */
const varied: Way = (client, text) =>
  simple(client, text.startsWith('SELECT') ? `${text} WHERE length('k${sent++}') > 0` : text);

const open: RawPostgres[] = [];
async function login(claims: TestClaims, target = 'shop'): Promise<RawPostgres> {
  const client = await RawPostgres.login(gateway, await gateway.token(claims), target);
  open.push(client);
  return client;
}
beforeEach(() => {
  for (const client of open.splice(0)) client.end();
});

const items = 'SELECT name FROM items';
const ssn = 'SELECT ssn FROM people';
const notes = 'SELECT body FROM notes';

/** Seen twice it is kept, thrice it is found without being looked into. */
async function familiar(way: Way, client: RawPostgres, text: string, as: string): Promise<void> {
  for (let times = 0; times < 4; times++) expect(await way(client, text)).toBe(as);
}

describe.each<[string, Way]>([
  ['in one message', simple],
  ['prepared', extended],
  ['with another literal each time', varied],
])('a familiar statement, sent %s,', (_, way) => {
  test.each([
    ['of one schema whose name joins the two', '"open\u0001closed"'],
    ['of one schema whose name lists the two', '"open,closed"'],
  ])('is judged by the path of two schemas, not by that %s', async (_name, path) => {
    const client = await login(member);
    await simple(client, `SET search_path = ${path}`);
    await familiar(way, client, items, 'elsewhere');
    await simple(client, 'SET search_path = open, closed');
    expect(await way(client, items)).toBe('E:42501');
    expect(await way(await login(member), items)).toBe('open');
  });

  test('is denied to another principal, and to the same one with fewer groups', async () => {
    await familiar(way, await login(member), items, 'open');
    await expect(login({ ...member, groups: [] })).rejects.toThrow('42501');
    await expect(login({ sub: 'stranger', kind: 'agent', groups: ['other'] })).rejects.toThrow('42501');
  });

  test('is decided anew at another target with the same database', async () => {
    await familiar(way, await login(member), items, 'open');
    const elsewhere = await login(member, 'spare');
    expect(await way(elsewhere, items)).toBe('E:42501');
    expect(await way(elsewhere, notes)).toBe('note');
  });

  test('is masked for one who may not see, whoever saw it before, and the other way round', async () => {
    const [sees, not] = [await login(trusted), await login(member)];
    await familiar(way, sees, ssn, '123-45-6789');
    const masked = await way(not, ssn);
    expect(masked).not.toContain('6789');
    await familiar(way, not, ssn, masked);
    expect(await way(sees, ssn)).toBe('123-45-6789');
    expect(await way(await login(member), ssn)).toBe(masked);
    // The same person, who lost the right.
    expect(await way(await login({ ...trusted, groups: ['staff'] }), ssn)).toBe(masked);
  });

  test('is denied once the session was shown what it must not be shown after', async () => {
    const [sees, other] = [await login(trusted), await login(trusted)];
    await familiar(way, sees, notes, 'note');
    await gateway.setPolicies(`${policies}${onceSeen}`);
    await familiar(way, sees, notes, 'note');
    expect(await way(sees, ssn)).toBe('123-45-6789');
    expect(await way(sees, notes)).toBe('E:42501');
    expect(await way(other, notes)).toBe('note');
    await gateway.setPolicies(policies);
  });

  test('is masked in the session that it was shown to in clear, from the moment that policy says so', async () => {
    const client = await login(trusted);
    await familiar(way, client, ssn, '123-45-6789');
    await gateway.setPolicies(policies.replace('"trusted"', '"nobody"'));
    expect(await way(client, ssn)).not.toContain('6789');
    await gateway.setPolicies(policies);
    expect(await way(client, ssn)).toBe('123-45-6789');
    await gateway.setPolicies(policies.replace('Table::"spare/public/items"', 'Table::"shop/public/items"'));
    expect(await way(client, items)).toBe('E:42501');
    await gateway.setPolicies(policies);
    expect(await way(client, items)).toBe('open');
  });

  test('is judged by what its names mean once others gave them to other things', async () => {
    const [one, two] = [await login(member), await login(member)];
    const owns = await login(owner);
    const make = async (text: string): Promise<void> => expect(await simple(owns, text)).toBe('');
    await make('CREATE TABLE shifting (id int, ssn text)');
    await make("INSERT INTO shifting VALUES (1, 'not labelled')");
    const read = 'SELECT * FROM shifting';
    for (const client of [one, two]) await familiar(way, client, read, '1,not labelled');
    await make('ALTER TABLE shifting RENAME TO shifted');
    await make('CREATE VIEW shifting WITH (security_invoker = true) AS SELECT 1 AS id, name AS ssn FROM closed.items');
    for (const client of [one, two]) expect(await way(client, read)).toBe('E:42501');
    await make('DROP VIEW shifting');
    await make('CREATE VIEW shifting AS SELECT id, ssn FROM people');
    for (const client of [one, two]) expect(await way(client, read)).not.toContain('6789');
    await make('DROP VIEW shifting');
    await make('DROP TABLE shifted');
  });

  test('means in each session what the session gave the name to', async () => {
    const [one, two] = [await login(member), await login(member)];
    await simple(one, 'PREPARE mine AS SELECT name FROM items');
    await simple(two, 'PREPARE mine AS SELECT name FROM closed.items');
    await familiar(way, one, 'EXECUTE mine', 'open');
    expect(await way(two, 'EXECUTE mine')).toMatch(/^E:/);
    await simple(one, 'CREATE TEMP TABLE own (v text)');
    await simple(one, "INSERT INTO own VALUES ('of one')");
    await familiar(way, one, 'SELECT v FROM own', 'of one');
    expect(await way(two, 'SELECT v FROM own')).toMatch(/^E:/);
  });
});
