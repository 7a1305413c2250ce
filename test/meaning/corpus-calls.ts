// Functions and operators: those that only compute, those that do more, and those that nobody can see into.

import type { Row } from './corpus-row.ts';

export const calls: readonly Row[] = [
  [
    'select lookup(1)',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select upper(lookup(1))',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select * from lookup(1)',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select * from lookup(1) as x(y)',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    "select id from customers where lookup(id) = 'x'",
    ['select: select public/customers, call public/lookup; reads pci pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    'select public.lookup(1)',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  ['select pg_sleep(1)', ['select: call pg_catalog/pg_sleep']],
  [
    "select pg_read_file('/etc/passwd')",
    [
      'select: call pg_catalog/pg_read_file; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  [
    "select lo_export(1, '/tmp/x')",
    [
      'select: call pg_catalog/lo_export; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  [
    "select query_to_xml('select * from customers', true, true, '')",
    [
      'select: call pg_catalog/query_to_xml; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  [
    "select table_to_xml('customers', true, true, '')",
    [
      'select: call pg_catalog/table_to_xml; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  ['select pg_terminate_backend(1)', ['select: call pg_catalog/pg_terminate_backend']],
  ["select set_config('search_path', 'x', false)", ['select: set_search_path search_path; then search_path']],
  ["select set_config('role', 'x', false)", ['select: set_role x; then role search_path']],
  ["select set_config('client_encoding', 'LATIN1', false)", ['refused: forbidden_setting']],
  ["select set_config(name, 'x', false) from customers", ['refused: forbidden_setting']],
  ["select set_config('work_mem', '1GB', true)", ['select: set work_mem; then setting']],
  ["select nextval('numbers')", ['select: sequence public/numbers']],
  ["select nextval('public.numbers'::regclass)", ['select: sequence public/numbers']],
  ["select setval('numbers', 1)", ['select: sequence public/numbers']],
  ["select currval('numbers')", ['select: compute shop']],
  ['select pg_advisory_lock(1)', ['select: lock shop']],
  ["select pg_notify('c', 'x')", ['select: notify c']],
  [
    "select pg_notify('c', email) from customers",
    ['select: select public/customers, notify c; reads pii.email; expressions pii.email; exposed'],
  ],
  ["select dblink('x','y')", ['refused: undefined_function']],
  ['select nosuch(1)', ['refused: undefined_function']],
  [
    "select abs('x')",
    ['select: call public/abs; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  ['select abs(1)', ['select: compute shop']],
  ['select abs(score) from customers', ['select: select public/customers']],
  [
    "select 'a' operator(public.===) 'b'",
    ['select: call evil/cheap; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select * from listing()',
    ['select: call public/listing; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select what from listing()',
    ['select: call public/listing; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select secret(c) from customers c',
    [
      'select: select public/customers, call public/secret; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  [
    'select pg_current_logfile(), lo_get(1)',
    [
      'select: call pg_catalog/pg_current_logfile pg_catalog/lo_get; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  [
    "select ts_stat('select 1')",
    [
      'select: call pg_catalog/ts_stat; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn; exposed',
    ],
  ],
  ['select txid_current(), random(), gen_random_uuid()', ['select: compute shop']],
  ["select pg_ls_dir('.')", ['select: call pg_catalog/pg_ls_dir']],
  ['select pg_reload_conf()', ['select: call pg_catalog/pg_reload_conf']],
  [
    'select pg_stat_get_activity(1)',
    [
      'select: call pg_catalog/pg_stat_get_activity; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  ["select nextval('customers')", ['select: sequence shop']],
  ["select nextval('nope')", ['select: sequence shop']],
  ['select nextval($1)', ['select: sequence shop']],
  [
    "select format('%s', variadic array[email]) from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email'],
  ],
  ['select lookup($1 => 1)', ['refused: syntax']],
  [
    'select U&"l\\006fokup"(1)',
    ['select: call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn'],
  ],
  ['select id from customers order by name using <', ['select: select public/customers']],
  [
    'select id from customers order by name using operator(public.===)',
    ['select: select public/customers, call evil/cheap; reads pci pii.email pii.phone pii.ssn'],
  ],
  [
    'select id from customers order by lookup(id)',
    ['select: select public/customers, call public/lookup; reads pci pii.email pii.phone pii.ssn; exposed'],
  ],
  [
    'select * from customers tablesample evil.method (1)',
    ['select: call evil/method, select public/customers; reads pii.email pii.phone pii.ssn'],
  ],
  [
    'select count(lookup(id)) over (order by id) from orders',
    [
      'select: select public/orders, call public/lookup; reads pci pii.email pii.phone pii.ssn; expressions pci pii.email pii.phone pii.ssn',
    ],
  ],
  [
    'insert into orders (note) values (lookup(1))',
    ['insert: insert public/orders, call public/lookup; reads pci pii.email pii.phone pii.ssn; exposed'],
  ],
  ["select pg_notify('a', 'b') from orders", ['select: select public/orders, notify a']],
  ['select last_value from numbers', ['select: select public/numbers']],
  ["select set_config('role', $1, false)", ['select: set_role shop; then role search_path']],
  ["select set_config('client_encoding', 'utf-8', false)", ['select: session shop; then setting']],
  ["select set_config('standard_conforming_strings', $1, false)", ['refused: forbidden_setting']],
  [
    "select set_config(name, 'a, b', false) from pg_settings",
    [
      'select: select pg_catalog/pg_settings, set shop, set_role shop, set_search_path search_path; then search_path role',
    ],
  ],
  ["select current_setting('x')", ['select: compute shop']],
  [
    "select convert_from(convert_to(email, 'UTF8'), 'LATIN1') from customers",
    ['select: select public/customers; reads pii.email; expressions pii.email; exposed'],
  ],
];
