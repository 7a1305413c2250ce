import type { OperationDeclaration } from '@sluice/core/contract/operations.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';

export const rowsByDefault = 200;
export const mostRows = 1_000;
/** Of all cells of one answer, in bytes of UTF-8; what goes beyond is left out, and the answer says so. */
export const mostBytes = 1_048_576;
export const mostParameters = 256;
export const longestFilter = 128;

const labels: JsonObject = {
  type: 'array',
  items: { type: 'string' },
  description: 'Labels under which the values of this column come masked.',
};

/** A table: what can be asked of a SQL database, with the shapes of question and answer. */
export const sqlOperations: readonly OperationDeclaration[] = [
  {
    name: 'query',
    title: 'Run one SQL statement',
    doc: `Runs one SQL statement at a database target and returns its rows. Put values into "parameters" as $1, $2, …, never into the text. Each call is a transaction of its own: BEGIN, SET and temporary tables do not carry over to the next call. At most ${rowsByDefault} rows come back (up to ${mostRows} with "max_rows"). When there is a "cursor" in the result, call again with {"cursor": …} instead of "sql" for the next rows, with the new "cursor" each time: it is gone after a minute, and with any other call at the target in between. When "truncated" is true without one, narrow the statement. Columns with "masked" hold masks instead of values: never write a mask back. Example: {"sql": "SELECT id, status FROM orders WHERE customer_id = $1 ORDER BY id LIMIT 50", "parameters": [42]}`,
    input: {
      type: 'object',
      properties: {
        sql: { type: 'string', minLength: 1, description: 'One statement, without a semicolon behind it.' },
        parameters: {
          type: 'array',
          items: { type: ['string', 'number', 'boolean', 'null'] },
          maxItems: mostParameters,
          description: 'Values for $1, $2, …, in order. Dates, JSON and arrays as text, in the form SQL has for them.',
        },
        max_rows: {
          type: 'integer',
          minimum: 1,
          maximum: mostRows,
          description: `Rows to return at most; ${rowsByDefault} if absent.`,
        },
        cursor: {
          type: 'string',
          minLength: 1,
          maxLength: 128,
          description: 'From an earlier result, for its next rows; then without "sql" and "parameters". Good once.',
        },
      },
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: {
        columns: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, type: { type: 'string' }, masked: labels },
            required: ['name', 'type'],
          },
        },
        rows: {
          type: 'array',
          items: { type: 'array', items: { type: ['string', 'number', 'boolean', 'null'] } },
          description: 'One array of cells per row, in the order of the columns.',
        },
        row_count: { type: 'integer', description: 'Rows returned here.' },
        command: { type: 'string', description: 'What the database says it did, such as "UPDATE 3".' },
        truncated: { type: 'boolean', description: 'There are, or may be, more rows than these.' },
        cursor: {
          type: 'string',
          description: 'For the next rows: give it as "cursor", and leave "sql" and "parameters" out.',
        },
        rows_so_far: { type: 'integer', description: 'With a cursor: rows returned by all calls together.' },
        truncated_by: { type: 'string', enum: ['max_rows', 'bytes', 'policy'] },
        notices: { type: 'array', items: { type: 'string' } },
      },
      required: ['columns', 'rows', 'row_count', 'command', 'truncated'],
    },
    readOnly: false,
  },
  {
    name: 'describe',
    title: 'Show tables and columns',
    doc: 'Shows the tables and views of a database target that you may read, with the columns, their types, and which of them come back masked. What is not listed is not there, or not for you. Use "filter" to narrow it: a part of "schema.table", in any case. Example: {"filter": "public.order"}',
    input: {
      type: 'object',
      properties: {
        filter: {
          type: 'string',
          maxLength: longestFilter,
          description: 'Part of schema.table; all tables if absent.',
        },
      },
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: {
        tables: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              schema: { type: 'string' },
              name: { type: 'string' },
              kind: { type: 'string' },
              needs_consent: { type: 'boolean', description: 'Reading it waits for approval by people.' },
              columns: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: { name: { type: 'string' }, type: { type: 'string' }, masked: labels },
                  required: ['name', 'type'],
                },
              },
            },
            required: ['schema', 'name', 'kind', 'columns'],
          },
        },
        truncated: { type: 'boolean', description: 'There are more tables: narrow the filter.' },
      },
      required: ['tables', 'truncated'],
    },
    readOnly: true,
  },
];
