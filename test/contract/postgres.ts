/** The contract suite's words for PostgreSQL: a real server, and what to ask of it. */
import { createTestGateway, targetName } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { cstring, int16, int32, message, RawPostgres, startup } from '../harness/raw-postgres.ts';
import type { Adapter, Ask, ContractGateway, ContractTarget, GatewayOptions } from './adapter.ts';
import { forms, openPostgres } from './postgres-session.ts';

const secrets = ['ada.lovelace@example.com', 'grace.hopper@example.com'];
/** Marks the suite's own questions to the server, which are no part of what was sent to it. */
const aside = '/* the suite asks */';

const tables = `
CREATE TABLE people (id int PRIMARY KEY, email text);
INSERT INTO people VALUES (1, '${secrets[0]}'), (2, '${secrets[1]}');
CREATE TABLE notes (tag text);
CREATE TABLE effects (tag text);
CREATE VIEW contacts AS SELECT id, email AS contact FROM people;
`;

export const postgresAdapter: Adapter = {
  connector: 'postgres',
  forms,
  verbs: { read: 'sql:select', forbidden: 'sql:drop', held: 'sql:insert' },
  lacks: {},
  largeBytes: 200_000_000,
  asks: {
    read: (tag) => ({ text: `SELECT '${tag}', count(*) FROM notes` }),
    forbidden: (tag) => ({ text: `DROP TABLE notes /* ${tag} */` }),
    held: (tag) => ({ text: `INSERT INTO effects VALUES ('${tag}')` }),
    failing: (tag) => ({ text: `SELECT 1 / (count(*) - count(*)) AS ${tag} FROM notes` }),
    slow: (tag) => ({ text: `SELECT '${tag}', count(*), pg_sleep(600) FROM notes` }),
    large: (tag) => ({ text: `SELECT '${tag}', repeat('x', 1000) FROM generate_series(1, 200000)` }),
    items: (count) => ({ text: `SELECT n, (SELECT count(*) FROM notes) FROM generate_series(1, ${count}) n` }),
    oversized: (tag) => ({ text: `SELECT '${tag}', '${'x'.repeat(300 * 1024)}'` }),
    labelled: [
      ...ways('as it is', 'SELECT email FROM people ORDER BY id', 'simple', 'extended', 'binary'),
      ...ways('under an alias', 'SELECT email AS id FROM people', 'simple', 'binary'),
      ...ways('behind a view', 'SELECT contact FROM contacts', 'simple'),
      ...ways('behind a subquery', 'WITH x AS (SELECT * FROM people) SELECT * FROM (SELECT * FROM x) y', 'extended'),
      ...ways('in a whole row', 'SELECT p FROM people p', 'simple', 'binary'),
      ...ways('in an expression', "SELECT 'mail: ' || email FROM people", 'simple', 'extended', 'binary'),
      ...ways('turned round', 'SELECT reverse(email) FROM people', 'simple'),
      ...ways('as bytes', "SELECT convert_to(email, 'UTF8') FROM people", 'simple', 'binary'),
      ...ways('as base64', "SELECT encode(convert_to(email, 'UTF8'), 'base64') FROM people", 'simple'),
      ...ways('as JSON', 'SELECT to_jsonb(p) FROM people p', 'simple', 'binary'),
      ...ways('in an aggregate', "SELECT string_agg(email, ',') FROM people", 'simple', 'extended'),
      ...ways('in an array', 'SELECT array_agg(email) FROM people', 'simple', 'binary'),
      ...ways('after a change', 'UPDATE people SET id = id RETURNING email', 'simple', 'extended'),
      ...ways('in an error', 'SELECT email::int FROM people', 'simple', 'extended'),
      ...ways('by COPY as text', 'COPY people TO STDOUT', 'simple', 'extended'),
      ...ways('by COPY as CSV', 'COPY people TO STDOUT WITH (FORMAT csv, HEADER)', 'simple'),
      ...ways('by COPY in binary', 'COPY people TO STDOUT WITH (FORMAT binary)', 'simple'),
      ...ways(
        'through a cursor',
        'BEGIN; DECLARE c CURSOR FOR SELECT email FROM people; FETCH ALL FROM c; COMMIT',
        'simple',
      ),
    ],
    prying: [
      { way: 'by a pattern', ask: (tag) => ({ text: `SELECT '${tag}', id FROM people WHERE email LIKE 'a%'` }) },
      { way: 'by comparing', ask: (tag) => ({ text: `SELECT '${tag}', id FROM people WHERE email < 'b'` }) },
      { way: 'by its order', ask: (tag) => ({ text: `SELECT '${tag}', id FROM people ORDER BY email` }) },
      { way: 'by its length', ask: (tag) => ({ text: `SELECT '${tag}', id FROM people WHERE length(email) = 24` }) },
      { way: 'by a copy', ask: (tag) => ({ text: `CREATE TABLE ${tag} AS SELECT email FROM people` }) },
      {
        way: 'by an error',
        ask: (tag) => ({ text: `SELECT 1 / (CASE WHEN email > 'b' THEN 0 END) AS ${tag} FROM people` }),
      },
    ],
  },
  // What a recording says beyond the client's own words, it says in a comment on a line of its own.
  asExecuted: (texts) => texts.map((text) => text.split('\n/* ')[0]).join('; '),
  oddities: [
    { name: 'a message of an unknown type', bytes: message('y', Buffer.alloc(4)), after: 'ends' },
    { name: "one of the server's own messages", bytes: message('Z', Buffer.from('I')), after: 'ends' },
    { name: 'a second login', bytes: startup({ user: 'x', database: targetName }), after: 'ends' },
    { name: 'a password in mid-session', bytes: message('p', cstring('x')), after: 'ends' },
    { name: 'a function call by message', bytes: functionCall(), after: 'goes on' },
    { name: 'text that is no UTF-8', bytes: message('Q', Buffer.from([0x73, 0xff, 0x00])), after: 'goes on' },
    { name: 'a statement that no grammar has', bytes: message('Q', cstring('SELEKT 1')), after: 'goes on' },
  ],
  announcements: [
    { name: 'a startup packet', when: 'before login', bytes: Buffer.concat([int32(0x7fffffff), int32(3 << 16)]) },
    { name: 'a Query', when: 'in session', bytes: head('Q', 0x7fffffff) },
    { name: 'a Bind', when: 'in session', bytes: head('B', 0x7fffffff) },
    { name: 'a Query of negative length', when: 'in session', bytes: head('Q', -16) },
  ],
  startTarget,
  startGateway,
  open: openPostgres,
  knock: async (at, bytes) => {
    const client = await RawPostgres.open(at.host, at.port);
    client.send(bytes);
    return Buffer.concat((await client.rest()).map(({ body }) => body));
  },
};

function ways(way: string, text: string, ...in_: readonly string[]): { readonly way: string; readonly ask: Ask }[] {
  return in_.map((form) => ({ way: `${way}, ${form}`, ask: { text, form } }));
}

/** Protocol "FunctionCall": the fast path, here to `pg_sleep`. */
function functionCall(): Buffer {
  return message('F', int32(2626), int16(0), int16(0), int16(0));
}

function head(type: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(type), int32(length), Buffer.from('SELECT 1')]);
}

async function startTarget(): Promise<PostgresTarget> {
  const postgres = await createTestPostgres({ log: true, init: tables });
  return {
    postgres,
    address: postgres,
    credentials: [postgres.password],
    labelled: secrets,
    executed: async () =>
      (await postgres.statements()).map(({ text }) => text).filter((text) => !text.includes(aside) && text !== tables),
    running: async () =>
      (
        await postgres.sql<{ query: string }>(
          `SELECT query ${aside} FROM pg_stat_activity
            WHERE state <> 'idle' AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
        )
      ).map(({ query }) => query),
    effects: async (tag) => {
      const [row] = await postgres.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM effects WHERE tag = '${tag}' ${aside}`,
      );
      return row?.n ?? 0;
    },
    carries: (bytes, tag) => bytes.includes(tag),
    stop: () => postgres.stop(),
  };
}

interface PostgresTarget extends ContractTarget {
  readonly postgres: TestPostgres;
}

async function startGateway({ upstream, target, policies, dataDir, config }: GatewayOptions): Promise<ContractGateway> {
  const { superuser, password, database } = (target as PostgresTarget).postgres;
  const gateway = await createTestGateway({
    postgres: { host: '127.0.0.1', port: upstream.port, superuser, password, database },
    policies,
    dataDir,
    config,
    labels: { 'pii.email': ['*.public.people.email'] },
  });
  return { ...gateway, address: gateway, targetName };
}
