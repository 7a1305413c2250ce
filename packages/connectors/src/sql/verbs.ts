import type { ActionDeclaration, ContextType, Declarations } from '@sluice/core/contract/declarations.ts';
import type { AccessClass } from '@sluice/core/domain/action.ts';

/**
 * The verbs and resources that SQL connectors speak in, with what policy may read about each. A table to be read; what a
 * statement means in these words is found out by the connector of its dialect.
 */

/** Present with every verb; there are no optional attributes, so a policy never reads one that is missing. */
export const sqlContext = {
  /** `select`, `update`, `create_table`, …: the statement's own kind, also when the verb comes from inside it. */
  kind: 'String',
  /** UPDATE and DELETE: a WHERE that really selects. True for verbs that have none. */
  has_where: 'Bool',
  /** A SELECT whose number of rows is bounded by LIMIT or FETCH FIRST. */
  has_limit: 'Bool',
  /** `schema.table` of every relation touched, also those behind a view. */
  tables: 'Set<String>',
  /** `schema.table.column` of every column read or written. */
  columns: 'Set<String>',
  /** `schema.function` of every function that is not the server's own harmless ones. */
  functions: 'Set<String>',
  /** Labels of everything the statement reads. */
  labels: 'Set<String>',
  /** The statement runs inside another (EXPLAIN, PREPARE, DECLARE, COPY, CREATE … AS). */
  nested: 'Bool',
} as const satisfies Readonly<Record<string, ContextType>>;

interface Verb {
  readonly access: AccessClass;
  readonly resources: readonly string[];
  readonly doc: string;
}

const relation = ['Table'] as const;
const anything = [
  'Table',
  'Sequence',
  'Function',
  'Type',
  'SchemaObject',
  'Schema',
  'Setting',
  'Role',
  'TargetObject',
  'Target',
] as const;

export const sqlVerbs = {
  'sql:compute': {
    access: 'connect',
    resources: ['Target'],
    doc: 'A query that reads no relation: constants and harmless functions.',
  },
  'sql:session': {
    access: 'connect',
    resources: ['Target'],
    doc: 'Harmless settings of the session, SHOW, closing cursors and prepared statements.',
  },
  'sql:transaction': { access: 'connect', resources: ['Target'], doc: 'BEGIN, COMMIT, ROLLBACK, savepoints.' },
  'sql:select': { access: 'read', resources: ['Table', 'Sequence'], doc: 'Reads rows of a table or view.' },
  'sql:copy_to': { access: 'read', resources: relation, doc: 'COPY … TO STDOUT: reads a table in bulk.' },
  'sql:explain': {
    access: 'connect',
    resources: ['Target'],
    doc: 'Shows a plan. With ANALYZE the statement runs, and its own verbs apply as well.',
  },
  'sql:listen': { access: 'read', resources: ['Channel'], doc: 'LISTEN.' },
  'sql:insert': { access: 'write', resources: relation, doc: 'Adds rows.' },
  'sql:update': { access: 'write', resources: relation, doc: 'Changes rows.' },
  'sql:delete': { access: 'write', resources: relation, doc: 'Removes rows.' },
  'sql:merge': {
    access: 'write',
    resources: relation,
    doc: 'MERGE into a table; its own inserts, updates and deletes are actions as well.',
  },
  'sql:truncate': { access: 'write', resources: ['Table', 'Target'], doc: 'Removes all rows of a table at once.' },
  'sql:copy_from': { access: 'write', resources: relation, doc: 'COPY … FROM STDIN: adds rows in bulk.' },
  'sql:lock': {
    access: 'write',
    resources: ['Table', 'Target'],
    doc: 'LOCK TABLE, SELECT … FOR UPDATE or SHARE, taking advisory locks.',
  },
  'sql:sequence': { access: 'write', resources: ['Sequence', 'Target'], doc: 'nextval and setval.' },
  'sql:notify': { access: 'write', resources: ['Channel'], doc: 'NOTIFY.' },
  'sql:call': {
    access: 'execute',
    resources: ['Function'],
    doc: 'Calls a function that does more than compute, or whose body cannot be seen.',
  },
  'sql:do': {
    access: 'execute',
    resources: ['Target'],
    doc: 'Runs an anonymous code block, which is never seen into.',
  },
  'sql:create': { access: 'admin', resources: anything, doc: 'Creates something other than rows.' },
  'sql:alter': { access: 'admin', resources: anything, doc: 'Changes a definition.' },
  'sql:drop': { access: 'admin', resources: anything, doc: 'Drops something.' },
  'sql:grant': { access: 'admin', resources: anything, doc: 'Gives a privilege or a role.' },
  'sql:revoke': { access: 'admin', resources: anything, doc: 'Takes a privilege or a role.' },
  'sql:set': {
    access: 'admin',
    resources: ['Setting', 'Target'],
    doc: 'Changes a setting that is not known to be harmless.',
  },
  'sql:set_role': {
    access: 'admin',
    resources: ['Role', 'Target'],
    doc: 'SET ROLE, SET SESSION AUTHORIZATION and their RESET.',
  },
  'sql:set_search_path': { access: 'admin', resources: ['Setting'], doc: 'Changes what unqualified names mean.' },
  'sql:maintain': {
    access: 'admin',
    resources: ['Table', 'Sequence', 'SchemaObject', 'Schema', 'Target'],
    doc: 'VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH, CHECKPOINT.',
  },
  'sql:copy_file': {
    access: 'admin',
    resources: ['Target'],
    doc: "COPY with a file or a program on the server's own machine.",
  },
  'sql:read_secrets': {
    access: 'admin',
    resources: relation,
    doc: 'Reads a system relation that keeps passwords or connection secrets.',
  },
} as const satisfies Readonly<Record<string, Verb>>;

export type SqlVerb = keyof typeof sqlVerbs;

function declare([verb, { access, resources, doc }]: [string, Verb]): ActionDeclaration {
  return { verb, access, resources, context: sqlContext, doc };
}

export const sqlDeclarations: Declarations = {
  actions: Object.entries(sqlVerbs).map(declare),
  resources: [
    { type: 'Schema', parents: ['Target'], doc: 'A schema: `shop/public`.' },
    {
      type: 'Table',
      parents: ['Schema'],
      doc: 'A table, view, materialised view or foreign table: `shop/public/customers`.',
    },
    { type: 'Sequence', parents: ['Schema'], doc: 'A sequence: `shop/public/orders_id_seq`.' },
    {
      type: 'Function',
      parents: ['Schema'],
      doc: 'A function, procedure or aggregate, all overloads: `shop/public/transfer`.',
    },
    { type: 'Type', parents: ['Schema'], doc: 'A type or domain: `shop/public/mood`.' },
    {
      type: 'SchemaObject',
      parents: ['Schema'],
      doc: 'Anything else in a schema: an operator, a collation, statistics.',
    },
    { type: 'Setting', parents: ['Target'], doc: 'A configuration parameter: `shop/work_mem`.' },
    { type: 'Role', parents: ['Target'], doc: 'A role of the database server: `shop/reporting`.' },
    { type: 'Channel', parents: ['Target'], doc: 'A notification channel: `shop/orders`.' },
    {
      type: 'TargetObject',
      parents: ['Target'],
      doc: 'Anything else without a schema: an extension, a server, a publication.',
    },
  ],
};
