// A database with one of everything that gives names a meaning, its labels, and a context to understand statements in.

import { CatalogCache } from '@sluice/connectors/postgres/catalog/cache.ts';
import type { Catalog, QueryRunner } from '@sluice/connectors/postgres/catalog/catalog.ts';
import { version } from '@sluice/connectors/postgres/catalog/queries.ts';
import { loadGrammar } from '@sluice/connectors/postgres/meaning/interpret.ts';
import { lineageOf } from '@sluice/connectors/postgres/meaning/lineage.ts';
import { emptyOverlay } from '@sluice/connectors/postgres/meaning/overlay.ts';
import type { MeaningContext } from '@sluice/connectors/postgres/meaning/statement.ts';
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { Client } from 'pg';

export const schema = `
CREATE SCHEMA monitoring; CREATE SCHEMA evil; CREATE SCHEMA "Odd/Name";
CREATE TYPE public.mood AS ENUM ('calm', 'angry');
CREATE DOMAIN public.short AS text CHECK (length(value) < 100);
CREATE TABLE public.customers (id serial PRIMARY KEY, name text, email text UNIQUE, ssn varchar(11), phone text,
  active boolean DEFAULT true, score integer, mood public.mood, shouted text GENERATED ALWAYS AS (upper(email)) STORED);
CREATE TABLE public.orders (id serial PRIMARY KEY, customer_id integer REFERENCES public.customers, total numeric(10,2),
  note public.short, created timestamptz DEFAULT now());
CREATE TABLE public.payments (id serial PRIMARY KEY, order_id integer, card text, amount numeric);
CREATE TABLE public.vips (level integer) INHERITS (public.customers);
CREATE TABLE public.logs (at date, email text, line text) PARTITION BY RANGE (at);
CREATE TABLE public.logs_1 PARTITION OF public.logs FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
CREATE TABLE monitoring.checks (id integer, name text, ok boolean);
CREATE TABLE evil.customers (id integer, name text);
CREATE TABLE "Odd/Name"."My Table" (id integer, "Some Column" text);
CREATE VIEW public.contacts AS SELECT id, name, email AS address, left(ssn, 3) AS area FROM public.customers;
CREATE VIEW public.contacts_again AS SELECT * FROM public.contacts WHERE id > 0;
CREATE VIEW public.order_totals AS SELECT customer_id, sum(total) AS total FROM public.orders GROUP BY customer_id;
CREATE VIEW public.mine WITH (security_invoker = true) AS SELECT id, name FROM public.customers;
CREATE MATERIALIZED VIEW public.cards AS SELECT card, amount FROM public.payments;
CREATE FUNCTION public.lookup(integer) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.customers WHERE id = $1';
CREATE FUNCTION public.secret(public.customers) RETURNS text LANGUAGE sql AS 'SELECT $1.ssn';
CREATE FUNCTION public.listing() RETURNS TABLE (who text, what text) LANGUAGE sql AS 'SELECT name, email FROM public.customers';
CREATE FUNCTION public.abs(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION evil.cheap(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION public.same_mood(public.mood, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE PROCEDURE public.purge(integer) LANGUAGE sql AS 'DELETE FROM public.orders WHERE id = $1';
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.cheap);
CREATE OPERATOR public.= (LEFTARG = public.mood, RIGHTARG = text, FUNCTION = public.same_mood);
CREATE SEQUENCE public.numbers;
CREATE RULE reroute AS ON INSERT TO evil.customers DO INSTEAD DELETE FROM public.customers;
INSERT INTO public.customers (name, email, ssn, phone, score, mood)
  SELECT 'name' || n, 'CANARY_email_' || n, 'CSSN' || n, 'CANARY_phone_' || n, n, 'calm' FROM generate_series(1, 5) n;
INSERT INTO public.vips (id, name, email, ssn, phone, level) VALUES (100, 'vip', 'CANARY_email_vip', 'CSSNv', 'CANARY_phone_vip', 1);
INSERT INTO public.orders (customer_id, total, note) SELECT n, n * 10, 'note' || n FROM generate_series(1, 5) n;
INSERT INTO public.payments (order_id, card, amount) SELECT n, 'CANARY_card_' || n, n FROM generate_series(1, 5) n;
INSERT INTO public.logs VALUES ('2024-01-01', 'CANARY_email_log', 'line');
INSERT INTO monitoring.checks VALUES (1, 'disk', true);
REFRESH MATERIALIZED VIEW public.cards;
ANALYZE;
`;

const configured: readonly [label: string, pattern: RegExp][] = [
  ['pci', /^public\.payments\.card$/],
  ['pii.email', /^public\.(customers|logs)\.email$/],
  ['pii.phone', /^public\.customers\.phone$/],
  ['pii.ssn', /^public\.customers\.ssn$/],
];

export const labels: LabelMap = {
  of: (_target, path) => configured.flatMap(([label, pattern]) => (pattern.test(path.join('.')) ? [label] : [])),
  all: () => configured.map(([label]) => label),
};

export const everyLabel = labels.all('shop');

export interface Sample {
  readonly client: Client;
  readonly run: QueryRunner;
  readonly catalog: Catalog;
  readonly context: MeaningContext;
  close(): Promise<void>;
}

/** Text for every value, as the catalog's connection gives it. */
const asText = { getTypeParser: () => (value: string) => value };

export async function openSample(url: string): Promise<Sample> {
  await loadGrammar();
  const reader = new Client({ connectionString: url });
  const client = new Client({ connectionString: url });
  await reader.connect();
  await client.connect();
  const run: QueryRunner = async (text) => {
    const { rows } = await reader.query({ text, rowMode: 'array', types: asText as never });
    // Whatever server runs here, the corpus is read as the newest one would.
    if (text === version) return [['180000', rows[0]?.[1]]];
    return rows as (string | null)[][];
  };
  const catalog = await new CatalogCache('shop', run, labels, lineageOf(labels)).refresh();
  const context: MeaningContext = {
    target: 'shop',
    catalog,
    labels,
    searchPath: ['pg_catalog', 'public'],
    role: 'postgres',
    sessionUser: 'postgres',
    database: 'postgres',
    overlay: emptyOverlay,
    prepared: () => undefined,
    cursor: () => undefined,
  };
  const close = async () => {
    await reader.end();
    await client.end();
  };
  return { client, run, catalog, context, close };
}
