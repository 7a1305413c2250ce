import type { Relation } from '../catalog/catalog.ts';
import type { RangeVar } from './ast.ts';
import type { Env } from './env.ts';

/** What a definition statement does to the names that later statements of the same transaction use. */

/** The relation stays under its name, with columns that are not known any more. */
export function changed(relation: Relation | undefined, range: RangeVar, env: Env): void {
  const schema = relation?.schema ?? env.names.creationSchema(range);
  const own = schema.startsWith('pg_temp') ? 'pg_temp' : schema;
  env.tally.effect({ kind: 'overlay', change: { kind: 'unknown', schema: own, name: range.relname ?? '' } });
  env.tally.effect({ kind: 'ddl' });
}

/**
 * A relation made now. With IF NOT EXISTS it may be another one that was there before: the catalog's if it knows one, and
 * else nothing about it is certain.
 */
export function made(relation: Relation, ifNotExists: boolean, env: Env): void {
  const { schema, name } = relation;
  if (!ifNotExists) env.tally.effect({ kind: 'overlay', change: { kind: 'relation', relation } });
  else if (env.names.find({ schemaname: schema, relname: name }) === undefined) {
    env.tally.effect({ kind: 'overlay', change: { kind: 'unknown', schema, name } });
  }
  env.tally.effect({ kind: 'ddl' });
}

export function gone(relation: Relation, env: Env): void {
  const schema = relation.schema.startsWith('pg_temp') ? 'pg_temp' : relation.schema;
  env.tally.effect({ kind: 'overlay', change: { kind: 'gone', schema, name: relation.name } });
  env.tally.effect({ kind: 'ddl' });
}

/** Names may have moved in ways not followed. */
export function everythingChanged(env: Env): void {
  env.tally.effect({ kind: 'overlay', change: { kind: 'everything' } });
  env.tally.effect({ kind: 'ddl' });
}

export function fresh(kind: 'function' | 'operator' | 'type', parts: readonly string[], env: Env): void {
  const name = parts.at(-1) ?? '';
  const schema = env.names.creationSchemaOf(parts.at(-2));
  env.tally.effect({ kind: 'overlay', change: { kind, schema, name } });
  env.tally.effect({ kind: 'ddl' });
}
