// What the rows about masking run against: a shop whose values are recognisable in any form they could come back in, and
// principals that may do everything with them but see them.

import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres, type TestPostgresOptions } from '../harness/postgres.ts';
import { cellsOf, fieldsOf, query, type RawMessage, RawPostgres, shown } from '../harness/raw-postgres.ts';

export const schema = `
CREATE SCHEMA other;
CREATE TABLE regions (id int PRIMARY KEY, name text);
INSERT INTO regions VALUES (1, 'north'), (2, 'south');
CREATE TABLE customers (id int PRIMARY KEY, name text, email text UNIQUE, phone varchar(20), national_id text,
  region int REFERENCES regions ON DELETE CASCADE, tags text[], prefs jsonb);
INSERT INTO customers VALUES
  (1, 'Zelda', 'zelda.quark@secretmail.com', '+4915112345678', 'NID987654321', 1, '{quux,frobnitz}', '{"k": "hush"}'),
  (2, 'Yorick', 'yorick.blume@hidden.org', '+4915198765432', 'NID123454321', 2, '{frobnitz}', '{}');
CREATE TABLE vips (level int) INHERITS (customers);
INSERT INTO vips VALUES (3, 'Xena', 'xena.warp@covert.net', '+4915100000001', 'NID555666777', NULL, NULL, NULL, 9);
CREATE TABLE payments (id int PRIMARY KEY, customer_id int REFERENCES customers, card_number text, amount numeric);
INSERT INTO payments VALUES (1, 1, '4539148803436467', 10), (2, 2, '6011000990139424', 20);
CREATE TABLE contacts (id int PRIMARY KEY, email text UNIQUE DEFERRABLE);
INSERT INTO contacts VALUES (1, 'a@b.com'), (2, 'yorick.blume@hidden.org');
CREATE TABLE orders (id int PRIMARY KEY, email text REFERENCES customers (email), note text);
INSERT INTO orders VALUES (1, 'zelda.quark@secretmail.com', 'n1'), (2, NULL, 'n2');
CREATE TABLE notes (id int, body text);
INSERT INTO notes VALUES (1, 'plain');
CREATE TABLE watched (id int, body text);
CREATE TABLE plain (id int PRIMARY KEY, txt text CHECK (txt <> 'bad'));
INSERT INTO plain VALUES (1, 'hello'), (2, 'world');
CREATE VIEW addresses AS SELECT id, email AS address, substr(email, 3) AS tail FROM customers;
CREATE VIEW addresses_again AS SELECT * FROM addresses;
CREATE VIEW everybody AS SELECT email FROM customers UNION ALL SELECT email FROM contacts;
CREATE MATERIALIZED VIEW shouted AS SELECT id, upper(email) AS loud FROM customers;
CREATE FUNCTION noisy() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE e text; BEGIN
    SELECT email INTO e FROM customers WHERE id = 1;
    RAISE NOTICE 'saw %', e;
    PERFORM pg_notify('chan', e);
    IF NEW.body = 'raise' THEN RAISE EXCEPTION 'not for %', e; END IF;
    RETURN NEW;
  END $$;
CREATE TRIGGER noisy AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION noisy();
CREATE FUNCTION get_customer(i int) RETURNS customers LANGUAGE sql STABLE AS 'SELECT * FROM customers WHERE id = i';
CREATE FUNCTION folded() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN (SELECT email FROM customers WHERE id = 1); END $$;
CREATE SEQUENCE numbers;
ANALYZE;
`;

export const labels = {
  'pii.email': ['*.customers.email', '*.orders.email', '*.contacts.email'],
  'pii.phone': ['*.customers.phone'],
  'pii.national_id': ['*.customers.national_id'],
  'pii.tags': ['*.customers.tags'],
  'pii.prefs': ['*.customers.prefs'],
  'pci.card': ['*.payments.card_number'],
};

export const policies = `
@id("read") permit (principal in Group::"readers",
  action in [Action::"connect", Action::"read", Action::"write", Action::"execute"], resource);
@id("admin") permit (principal in Group::"admins",
  action in [Action::"connect", Action::"read", Action::"write", Action::"execute", Action::"admin"], resource);
@id("email-only") permit (principal in Group::"mailers", action == Action::"reveal", resource in Label::"pii.email");
@id("all") permit (principal in Group::"seers", action, resource);
`;

const secrets = [
  'zelda.quark',
  'secretmail',
  'yorick.blume',
  'hidden.org',
  'xena.warp',
  'covert.net',
  '15112345678',
  '15198765432',
  '15100000001',
  'NID987654321',
  'NID123454321',
  'NID555666777',
  '4539148803436467',
  '6011000990139424',
  'frobnitz',
  'hush',
];

/** Every form in which a value could be hidden in an answer. */
const forms = secrets.flatMap((secret) => {
  const bytes = Buffer.from(secret);
  const letters = [...secret];
  return [
    secret,
    bytes.toString('hex'),
    // Where the value begins inside a larger one is not known, so its own first and last groups are not, either.
    bytes.toString('base64').replace(/=+$/, '').slice(0, -2),
    letters.toReversed().join(''),
    letters.join(','),
    letters.join(' '),
  ].map((form) => form.toLowerCase());
});

/** What of the secrets is in these messages, in any form. */
export function leaked(messages: readonly RawMessage[]): readonly string[] {
  const all = Buffer.concat(messages.map(({ body }) => body))
    .toString('latin1')
    .toLowerCase();
  return forms.filter((form) => all.includes(form));
}

export interface Shop {
  readonly postgres: TestPostgres;
  readonly gateway: TestGateway;
  /** Logs in as a member of these groups. */
  login(...groups: readonly string[]): Promise<RawPostgres>;
  stop(): Promise<void>;
}

export async function openShop(
  options: { readonly source?: TestPostgresOptions['source']; readonly strategies?: Record<string, string> } = {},
): Promise<Shop> {
  const { source, strategies } = options;
  const postgres = await createTestPostgres({ init: schema, ...(source ? { source } : {}) });
  const gateway = await createTestGateway({ postgres, policies, labels, ...(strategies ? { strategies } : {}) });
  return {
    postgres,
    gateway,
    async login(...groups) {
      return RawPostgres.login(gateway, await gateway.token({ sub: groups.join('-'), groups }));
    },
    async stop() {
      await gateway.stop();
      await postgres.stop();
    },
  };
}

/** The answer to one simple query, up to ReadyForQuery. */
export async function ask(client: RawPostgres, text: string): Promise<RawMessage[]> {
  client.send(query(text));
  return client.until('Z');
}

export function rowsOf(messages: readonly RawMessage[]): (string | null)[][] {
  return messages.filter(({ type }) => type === 'D').map(cellsOf);
}

/** `refused` when masking forbids it, else what the client sees of it: codes of errors, or `done`. */
export function outcomeOf(messages: readonly RawMessage[]): string {
  const error = messages.find(({ type }) => type === 'E');
  if (error === undefined) return 'done';
  return fieldsOf(error)['D']?.includes('sluice:exposure') ? 'refused' : shown(error);
}
