// Writing rows: what is changed, whether a WHERE really selects, and labelled values that would be kept elsewhere.

import type { Row } from './corpus-row.ts';

export const writes: readonly Row[] = [
  ["insert into customers(name, email) values ('a', 'b')", ['insert: insert public/customers']],
  [
    "insert into customers(name, email) values ('a', 'b') returning id, email",
    ['insert: insert public/customers, select public/customers; reads pii.email'],
  ],
  ['insert into orders(note) select note from orders', ['insert: insert public/orders, select public/orders']],
  [
    'insert into orders(note) select email from customers',
    ['insert: insert public/orders, select public/customers; reads pii.email; exposed'],
  ],
  [
    'insert into customers(email) select email from customers',
    ['insert: insert public/customers, select public/customers; reads pii.email'],
  ],
  ['insert into customers default values', ['insert: insert public/customers']],
  [
    "insert into customers(id, email) values (1, 'a') on conflict (id) do update set email = excluded.email where customers.active",
    ['insert: insert public/customers, update public/customers, select public/customers; reads pii.email'],
  ],
  [
    "insert into customers(id, email) values (1, 'a') on conflict (id) do update set name = excluded.email",
    ['insert: insert public/customers, update public/customers, select public/customers; reads pii.email; exposed'],
  ],
  ["insert into customers(id, email) values (1, 'a') on conflict do nothing", ['insert: insert public/customers']],
  ["with customers as (select 1) insert into customers(name) select 'x'", ['insert: insert public/customers']],
  ["update customers set email = 'x'", ['update: update public/customers; everything']],
  ["update customers set email = 'x' where true", ['update: update public/customers; everything']],
  ["update customers set email = 'x' where 1 = 1", ['update: update public/customers; everything']],
  [
    "update customers set email = 'x' where id = id",
    ['update: update public/customers, select public/customers; everything'],
  ],
  [
    "update customers set email = 'x' where id is not null",
    ['update: update public/customers, select public/customers; everything'],
  ],
  [
    "update customers set email = 'x' where id = 1 or true",
    ['update: update public/customers, select public/customers; everything'],
  ],
  [
    "update customers set email = 'x' where id = 1 and true",
    ['update: update public/customers, select public/customers'],
  ],
  [
    "update customers set email = 'x' where id in (select id from customers)",
    ['update: update public/customers, select public/customers; everything'],
  ],
  [
    "update customers set email = 'x' where id in (select customer_id from orders)",
    ['update: update public/customers, select public/orders public/customers'],
  ],
  [
    "update customers c set email = 'x' from customers d where c.id = d.id",
    ['update: update public/customers, select public/customers; everything'],
  ],
  [
    "update customers c set email = 'x' from orders d where c.id = d.customer_id",
    ['update: update public/customers, select public/orders public/customers'],
  ],
  [
    'update customers set name = email',
    ['update: update public/customers, select public/customers; reads pii.email; exposed; everything'],
  ],
  [
    'update customers set (name, email) = (select name, email from customers limit 1) where id = 1',
    ['update: update public/customers, select public/customers; reads pii.email; exposed'],
  ],
  [
    "update customers set name = 'x' where email like 'a%'",
    ['update: update public/customers, select public/customers; reads pii.email; exposed'],
  ],
  [
    'update customers set score = score + 1 where id = $1 returning *',
    ['update: update public/customers, select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'update customers set name = lookup(1) where id = 1',
    [
      'update: update public/customers, call public/lookup, select public/customers; reads pci pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  ['delete from customers where id = 1', ['delete: delete public/customers, select public/customers']],
  ['delete from customers', ['delete: delete public/customers; everything']],
  [
    'delete from customers using orders o where o.customer_id = customers.id',
    ['delete: delete public/customers, select public/orders public/customers'],
  ],
  [
    'delete from customers where exists (select 1 from orders where customer_id = customers.id)',
    ['delete: delete public/customers, select public/orders public/customers'],
  ],
  ['delete from customers where exists (select 1)', ['delete: delete public/customers; everything']],
  ["delete from only customers where ctid = '(0,1)'", ['delete: delete public/customers, select public/customers']],
  [
    'merge into customers c using orders o on c.id = o.customer_id when matched then update set name = o.note when not matched then insert (name) values (o.note)',
    [
      'merge: merge public/customers, select public/orders public/customers, update public/customers, insert public/customers',
    ],
  ],
  [
    'merge into customers c using orders o on true when matched then delete',
    ['merge: merge public/customers, select public/orders public/customers, delete public/customers; everything'],
  ],
  [
    "merge into customers c using orders o on c.id = o.customer_id when matched and c.email like 'a%' then do nothing",
    ['merge: merge public/customers, select public/orders public/customers; reads pii.email; exposed'],
  ],
  [
    "with x as (insert into orders(note) values ('a') returning id), y as (update customers set name = 'a' returning *) select x.id from x, y",
    [
      'select: insert public/orders, select public/orders public/customers, update public/customers; reads pii.email pii.phone pii.ssn; everything',
    ],
  ],
  ['truncate customers, orders', ['truncate: truncate public/customers public/orders']],
  ['truncate customers cascade', ['truncate: truncate public/customers shop']],
  [
    'select * into new1 from customers',
    [
      'select_into: select public/customers, create public/new1; reads pii.email pii.phone pii.ssn; exposed; then relation ddl',
    ],
  ],
  [
    'select name into new2 from customers',
    ['select_into: select public/customers, create public/new2; then relation ddl'],
  ],
  [
    'copy customers to stdout',
    ['copy_to: select public/customers, copy_to public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'copy customers (name, email) to stdout with (format csv, header)',
    ['copy_to: select public/customers, copy_to public/customers; reads pii.email'],
  ],
  ['copy customers from stdin', ['copy_from: copy_from public/customers']],
  [
    'copy (select email, name from customers) to stdout',
    ['copy_to: select public/customers, copy_to public/customers; reads pii.email'],
  ],
  [
    'copy (delete from customers returning email) to stdout',
    [
      'copy_to: delete public/customers, select public/customers, copy_to public/customers; reads pii.email; everything',
    ],
  ],
  [
    "copy customers to '/tmp/x'",
    [
      'copy_to: copy_file shop, select public/customers, copy_to public/customers; reads pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  [
    "copy customers to program 'cat'",
    [
      'copy_to: copy_file shop, select public/customers, copy_to public/customers; reads pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  ["copy customers from program 'cat'", ['copy_from: copy_file shop, copy_from public/customers']],
  ["copy customers to stdout with (encoding 'LATIN1')", ['refused: forbidden_setting']],
  ['copy (select * from lookup(1)) to stdout', ['copy_to: call public/lookup; reads pci pii.email pii.phone pii.ssn']],
  ["insert into evil.customers values (1, 'x')", ['refused: unsupported']],
  ["insert into contacts (name) values ('x')", ['insert: insert public/contacts']],
  ["update contacts set address = 'x' where id = 1", ['update: update public/contacts, select public/contacts']],
  ['delete from vips where level = 1', ['delete: delete public/vips, select public/vips']],
  [
    'insert into customers (name, email) select name, email from customers on conflict (email) do update set score = 1 returning *',
    [
      'insert: insert public/customers, select public/customers, update public/customers; reads pii.email pii.phone pii.ssn; everything',
    ],
  ],
  [
    'update payments set amount = amount * 2 where order_id = any($1)',
    ['update: update public/payments, select public/payments'],
  ],
  [
    'update customers set email = lower(email) where id = 1',
    ['update: update public/customers, select public/customers; reads pii.email'],
  ],
  [
    'update customers set email = phone where id = 1',
    ['update: update public/customers, select public/customers; reads pii.phone; exposed'],
  ],
  [
    'insert into logs(email) select email from customers',
    ['insert: insert public/logs, select public/customers; reads pii.email'],
  ],
  [
    'insert into payments(card) values ((select card from payments limit 1))',
    ['insert: insert public/payments, select public/payments; reads pci'],
  ],
  ['delete from orders where id > 0 limit 1', ['refused: syntax']],
  [
    "delete from customers where name = 'a' or name = 'b'",
    ['delete: delete public/customers, select public/customers'],
  ],
  ['delete from customers where not true', ['delete: delete public/customers; everything']],
  [
    'delete from customers where not (id = 1)',
    ['delete: delete public/customers, select public/customers; everything'],
  ],
  ['delete from customers where id in (1, 2)', ['delete: delete public/customers, select public/customers']],
  ["delete from customers where id = any('{1,2}')", ['delete: delete public/customers, select public/customers']],
  ['delete from customers where id between 1 and 2', ['delete: delete public/customers, select public/customers']],
  [
    "delete from customers where name like '%'",
    ['delete: delete public/customers, select public/customers; everything'],
  ],
  ["delete from customers where name like 'a%'", ['delete: delete public/customers, select public/customers']],
  ['delete from customers where active', ['delete: delete public/customers, select public/customers']],
  ['delete from customers where coalesce(id, 1) = 1', ['delete: delete public/customers, select public/customers']],
  [
    'delete from customers where id = (select max(id) from customers)',
    ['delete: delete public/customers, select public/customers'],
  ],
  ['delete from customers where (select true)', ['delete: delete public/customers; everything']],
  [
    'delete from customers where id >= all (select id from customers)',
    ['delete: delete public/customers, select public/customers; everything'],
  ],
  [
    'delete from customers c using customers d where c.id = d.id',
    ['delete: delete public/customers, select public/customers; everything'],
  ],
  ['delete from customers where current_user = current_user', ['delete: delete public/customers; everything']],
  ["delete from customers where now() > '2000-01-01'", ['delete: delete public/customers; everything']],
  ['delete from customers where id = id + 0', ['delete: delete public/customers, select public/customers; everything']],
  ['delete from customers where id <> -1', ['delete: delete public/customers, select public/customers; everything']],
  ['delete from customers where case when true then true end', ['delete: delete public/customers; everything']],
  ['copy customers (id, name) to stdout with binary', ['copy_to: select public/customers, copy_to public/customers']],
  [
    "copy orders from stdin with (format 'csv', header match, quote '''', escape '\\')",
    ['copy_from: copy_from public/orders'],
  ],
  [
    "copy (select name from customers) to program 'cat'",
    ['copy_to: copy_file shop, select public/customers, copy_to public/customers'],
  ],
  [
    "copy (insert into orders(note) values ('a') returning note) to stdout",
    ['copy_to: insert public/orders, select public/orders, copy_to public/orders'],
  ],
  ['copy contacts to stdout', ['copy_to: select public/contacts, copy_to public/contacts; reads pii.email pii.ssn']],
  [
    'copy (table customers) to stdout csv header',
    ['copy_to: select public/customers, copy_to public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    "copy customers from stdin where email like 'a%'",
    ['copy_from: copy_from public/customers; reads pii.email; exposed'],
  ],
  ['truncate only customers restart identity', ['truncate: truncate public/customers']],
];
