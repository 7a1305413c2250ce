// Reading, in every way that a label could be lost or a question asked about a value that is not shown.

import type { Row } from './corpus-row.ts';

export const reads: readonly Row[] = [
  ['select 1 + 1, now(), current_user', ['select: compute shop']],
  ['select name from customers', ['select: select public/customers']],
  ['select public.customers.name from public.customers', ['select: select public/customers']],
  [
    'select c.* from customers c where c.id = 1',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  ['select "name" from "customers"', ['select: select public/customers']],
  ['select U&"n\\0061me" from customers', ['select: select public/customers']],
  ['select email as nothing from customers', ['select: select public/customers; reads pii.email']],
  ['select e from (select email as e from customers) q', ['select: select public/customers; reads pii.email']],
  [
    'select e from (select email e from customers) q order by e',
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['with q as (select email from customers) select * from q', ['select: select public/customers; reads pii.email']],
  [
    'with q(x) as (select email from customers) select x, 1 from q',
    ['select: select public/customers; reads pii.email'],
  ],
  [
    'with recursive t(n, e) as (select 1, email from customers union all select n+1, e from t where n < 3) select e from t',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ['with customers as (select 1 as id) select * from customers', ['select: compute shop']],
  [
    'with customers as (select 1 as id) select * from public.customers',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'select row_to_json(c) from customers c',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select c from customers c',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select (c).email from customers c',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select (c).* from customers c',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select array_agg(email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    "select string_agg(email, ',' order by name) from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    "select string_agg(name, ',' order by email) from customers",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['select count(*) from customers', ['select: select public/customers']],
  ["select count(*) from customers where email = 'x'", ['select: select public/customers; reads pii.email']],
  [
    "select count(*) from customers where email like 'x%'",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ["select count(*) from customers where email in ('a','b')", ['select: select public/customers; reads pii.email']],
  ['select count(*) from customers where email = any($1)', ['select: select public/customers; reads pii.email']],
  [
    "select count(*) from customers where email = any(array['a'])",
    ['select: select public/customers; reads pii.email'],
  ],
  ["select id from customers where lower(email) = 'x'", ['select: select public/customers; reads pii.email']],
  ["select id from customers where email::text = 'x'", ['select: select public/customers; reads pii.email']],
  ["select id from customers where ssn::text = 'x'", ['select: select public/customers; reads pii.ssn']],
  ["select id from customers where ssn::varchar(1) = '1'", ['select: select public/customers; reads pii.ssn; exposed']],
  ['select id from customers where email is null', ['select: select public/customers; reads pii.email']],
  ["select id from customers where email > 'm'", ['select: select public/customers; reads pii.email; exposed']],
  [
    "select id from customers where email between 'a' and 'b'",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['select id from customers order by email', ['select: select public/customers; reads pii.email; exposed']],
  ['select id, email from customers order by 2', ['select: select public/customers; reads pii.email; exposed']],
  ['select id from customers order by name', ['select: select public/customers']],
  ['select email from customers group by email', ['select: select public/customers; reads pii.email; exposed']],
  ['select distinct email from customers', ['select: select public/customers; reads pii.email; exposed']],
  ['select distinct on (email) id from customers', ['select: select public/customers; reads pii.email; exposed']],
  [
    'select max(email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    "select case when email like 'a%' then 1 else 0 end from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    "select case email when 'a' then 1 end from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    'select c.id from customers c join orders o on o.note = c.email',
    ['select: select public/customers public/orders; reads pii.email; exposed'],
  ],
  [
    'select a.id from customers a join customers b on a.email = b.email',
    ['select: select public/customers; reads pii.email'],
  ],
  ['select a.id from customers a join customers b using (email)', ['select: select public/customers; reads pii.email']],
  [
    'select a.id, email from customers a natural join customers b',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email; exposed'],
  ],
  [
    'select g from customers c join generate_series(1,999) g on c.ssn = g::text',
    ['select: select public/customers; reads pii.ssn; exposed'],
  ],
  [
    "select id from (select id, left(ssn,1) p from customers) q where p = '1'",
    ['select: select public/customers; reads pii.ssn; exposed'],
  ],
  [
    "select email from customers union select 'x'",
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    'select email from customers union all select note from orders',
    ['select: select public/customers public/orders; reads pii.email; expressions pii.email'],
  ],
  ['select id from customers except select 1', ['select: select public/customers']],
  [
    'select (select email from customers limit 1)',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ["select exists(select 1 from customers where email = 'x')", ['select: select public/customers; reads pii.email']],
  [
    "select exists(select 1 from customers where email like 'x')",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  [
    'select o.id, l.email from orders o, lateral (select email from customers where id = o.customer_id) l',
    ['select: select public/orders public/customers; reads pii.email'],
  ],
  [
    'select * from customers c, jsonb_each(to_jsonb(c))',
    [
      'select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  [
    'select row_number() over (order by email) from customers',
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  [
    'select row_number() over w from customers window w as (partition by email)',
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['select id from customers for update', ['select: select public/customers, lock public/customers']],
  [
    'select c.id from customers c, orders o for update of c',
    ['select: select public/customers public/orders, lock public/customers'],
  ],
  ['select * from customers limit 10', ['select: select public/customers; reads pii.email pii.phone pii.ssn']],
  ['select * from customers limit all', ['select: select public/customers; reads pii.email pii.phone pii.ssn']],
  [
    'select * from customers fetch first 3 rows only',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'select (select count(*) from customers c2 where c2.ssn < c.ssn) from customers c',
    ['select: select public/customers; reads pii.ssn; exposed'],
  ],
  [
    'select name.upper from customers name',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select customers.upper from customers',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select c.secret from customers c',
    [
      'select: select public/customers, call public/secret; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  [
    'select email(c) from customers c',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn'],
  ],
  [
    'select xmlelement(name foo, email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    "select json_build_object('e', email) from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    "select json_object('e' value email) from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    'select json_arrayagg(email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    "select json_value(to_jsonb(c), '$.email') from customers c",
    [
      'select: select public/customers; reads pii.email pii.phone pii.ssn; expressions pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  ["select * from json_table('[1]', '$[*]' columns (x int path '$')) t", ['select: compute shop']],
  ["select * from xmltable('/r' passing '<r/>' columns a text path 'a')", ['select: compute shop']],
  ['select * from generate_series(1, 3) g(x) where x > 1', ['select: compute shop']],
  ['select * from generate_series(1, 3) with ordinality', ['select: compute shop']],
  ['select * from rows from (generate_series(1,2), generate_series(1,3)) as t(a,b)', ['select: compute shop']],
  ['select x from unnest(array[1,2]) x', ['select: compute shop']],
  ["select * from json_to_record('{}') as x(a int, b text)", ['select: compute shop']],
  [
    'select * from pg_stats',
    ['select: select pg_catalog/pg_stats, read_secrets pg_catalog/pg_stats; reads pci pii.email pii.phone pii.ssn'],
  ],
  ['select tablename from pg_stats', ['select: select pg_catalog/pg_stats, read_secrets pg_catalog/pg_stats']],
  [
    'select most_common_vals from pg_stats',
    ['select: select pg_catalog/pg_stats, read_secrets pg_catalog/pg_stats; reads pci pii.email pii.phone pii.ssn'],
  ],
  ['select * from pg_authid', ['select: select pg_catalog/pg_authid, read_secrets pg_catalog/pg_authid']],
  [
    'select * from pg_stat_activity',
    ['select: select pg_catalog/pg_stat_activity; reads pci pii.email pii.phone pii.ssn'],
  ],
  ['select usename, state from pg_stat_activity', ['select: select pg_catalog/pg_stat_activity']],
  ['select * from information_schema.tables', ['select: select information_schema/tables']],
  [
    'select * from pg_largeobject',
    [
      'select: select pg_catalog/pg_largeobject, read_secrets pg_catalog/pg_largeobject; reads pci pii.email pii.phone pii.ssn',
    ],
  ],
  ['select * from contacts', ['select: select public/contacts; reads pii.email pii.ssn']],
  ['select area from contacts', ['select: select public/contacts; reads pii.ssn']],
  ["select id, name from contacts where area = 'abc'", ['select: select public/contacts; reads pii.ssn; exposed']],
  [
    "select id from contacts_again where area like 'a%'",
    ['select: select public/contacts_again; reads pii.ssn; exposed'],
  ],
  ['table customers', ['select: select public/customers; reads pii.email pii.phone pii.ssn']],
  ["values (1, 'a'), (2, 'b')", ['select: compute shop']],
  [
    'select 1/(ascii(ssn)-50) from customers',
    ['select: select public/customers; reads pii.ssn; expressions pii.ssn; exposed'],
  ],
  ['select ssn::int from customers', ['select: select public/customers; reads pii.ssn; expressions pii.ssn; exposed']],
  [
    "select greatest(email, 'x') from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    "select coalesce(email, '') || name from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ["select email = 'x' from customers", ['select: select public/customers; reads pii.email; expressions pii.email']],
  [
    "select nullif(email, 'x') from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ['select tableoid, ctid from customers', ['select: select public/customers']],
  [
    'select count(distinct email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    "select sum(score) filter (where email like 'a%') from customers",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['select grouping(name), name from customers group by rollup(name)', ['select: select public/customers']],
  [
    'select * from customers tablesample system (10)',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  ['select name from other.public.customers', ['refused: unsupported']],
  ['select name from postgres.public.customers', ['select: select public/customers']],
  ['select * from nope', ['refused: undefined_relation']],
  ['select nope from customers', ['refused: undefined_column']],
  ['select x.name from customers', ['refused: undefined_column']],
  ['select * from pg_temp.foo', ['refused: undefined_relation']],
  [
    "select * from contacts_again where address = 'x'",
    ['select: select public/contacts_again; reads pii.email pii.ssn'],
  ],
  ['select * from mine', ['select: select public/mine public/customers']],
  ['select * from cards', ['select: select public/cards; reads pci']],
  ['select email from vips', ['select: select public/vips; reads pii.email']],
  ['select level from vips', ['select: select public/vips']],
  ['select * from logs', ['select: select public/logs; reads pii.email']],
  ['select email from logs_1', ['select: select public/logs_1; reads pii.email']],
  ['select shouted from customers', ['select: select public/customers; reads pii.email']],
  ['select * from "Odd/Name"."My Table"', ['select: select Odd%2FName/My Table']],
  ['select * from evil.customers', ['select: select evil/customers']],
  [
    "select 'a' === 'b'",
    ['select: call evil/cheap; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    "select mood = 'calm' from customers",
    [
      'select: select public/customers, call public/same_mood; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  ["select name = 'calm' from customers", ['select: select public/customers']],
  ['select 1 operator(pg_catalog.=) 1', ['select: compute shop']],
  [
    'select to_tsvector(email) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    "select * from customers where email ~ '^a'",
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    "select * from customers where email similar to 'a%'",
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    "select * from customers where not (email = 'a')",
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    "select * from customers where (email = 'a') is true",
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    'select * from customers where email = name',
    ['select: select public/customers; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    'select * from customers where email = (select note from orders limit 1)',
    ['select: select public/customers public/orders; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    "select * from customers where email is distinct from 'a'",
    ['select: select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'select * from customers where email = any(array(select note from orders))',
    ['select: select public/customers public/orders; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    'select * from customers where email in (select email from logs)',
    ['select: select public/customers public/logs; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'select * from customers where email in (select note from orders)',
    ['select: select public/customers public/orders; reads pii.email pii.phone pii.ssn; exposed'],
  ],
  ["select id from customers where (id, email) = (1, 'a')", ['select: select public/customers; reads pii.email']],
  [
    "select id from customers where (id, email) < (1, 'a')",
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  [
    'select id from customers limit (select length(email) from customers limit 1)',
    ['select: select public/customers; reads pii.email; exposed'],
  ],
  ['select id from customers offset 1', ['select: select public/customers']],
  [
    'select sum(length(email)) from customers',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    'select count(*) from (select generate_series(1, ascii(ssn)) from customers) q',
    ['select: select public/customers; reads pii.ssn; exposed'],
  ],
  [
    'select count(*) from customers c, generate_series(1, ascii(c.ssn))',
    ['select: select public/customers; reads pii.ssn; exposed'],
  ],
  [
    "select string_agg(email, ',' order by id) filter (where active) from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    'select chr(ascii(substr(ssn, 1, 1))) from customers',
    ['select: select public/customers; reads pii.ssn; expressions pii.ssn; exposed'],
  ],
  [
    "select repeat('x', ascii(ssn)) from customers",
    ['select: select public/customers; reads pii.ssn; expressions pii.ssn; exposed'],
  ],
  [
    "select (email like 'a%')::int from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
  [
    'select email ->> 0 from (select to_json(email) as email from customers) q',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  [
    'with recursive t as (select 1 as n union all select n + 1 from t where n < 5) select * from t',
    ['select: compute shop'],
  ],
  [
    'with recursive a as (select * from b), b as (select email from customers) select * from a',
    ['select: select public/customers; reads pii.email'],
  ],
  ['with t as (select 1), t2 as (select * from t) select * from t2', ['select: compute shop']],
  [
    'select (with q as (select email from customers) select email from q limit 1)',
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ['select from customers', ['select: select public/customers']],
];
