import type { Resource } from '@sluice/core/domain/resource.ts';
import { inSchema, inTarget, type SchemaChild, schemaResource } from '../../sql/resources.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Node, RangeVar } from './ast.ts';
import { as, items, strings } from './ast.ts';
import type { Env } from './env.ts';
import { toRangeVar } from './names.ts';

/** What a definition statement acts on, as resources. */
const schemaObjects: Readonly<Record<string, SchemaChild>> = {
  OBJECT_FUNCTION: 'Function',
  OBJECT_PROCEDURE: 'Function',
  OBJECT_ROUTINE: 'Function',
  OBJECT_AGGREGATE: 'Function',
  OBJECT_TYPE: 'Type',
  OBJECT_DOMAIN: 'Type',
  OBJECT_DOMCONSTRAINT: 'Type',
  OBJECT_ATTRIBUTE: 'Type',
  OBJECT_OPERATOR: 'SchemaObject',
  OBJECT_OPCLASS: 'SchemaObject',
  OBJECT_OPFAMILY: 'SchemaObject',
  OBJECT_COLLATION: 'SchemaObject',
  OBJECT_CONVERSION: 'SchemaObject',
  OBJECT_STATISTIC_EXT: 'SchemaObject',
  OBJECT_TSCONFIGURATION: 'SchemaObject',
  OBJECT_TSDICTIONARY: 'SchemaObject',
  OBJECT_TSPARSER: 'SchemaObject',
  OBJECT_TSTEMPLATE: 'SchemaObject',
  OBJECT_INDEX: 'SchemaObject',
};

const relations: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SEQUENCE',
]);

/** Named as `table, object`: what they belong to is the resource. */
const partsOfRelations: ReadonlySet<string> = new Set([
  'OBJECT_COLUMN',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_POLICY',
  'OBJECT_RULE',
  'OBJECT_TRIGGER',
]);

export function isRelation(type: string | undefined): boolean {
  return type !== undefined && relations.has(type);
}

export function isPartOfRelation(type: string | undefined): boolean {
  return type !== undefined && partsOfRelations.has(type);
}

/** The names by which a statement calls an object: a list of names, a type, a function with its arguments. */
export function nameParts(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  const withArgs = as(node, 'ObjectWithArgs');
  if (withArgs !== undefined) return strings(withArgs.objname);
  const type = as(node, 'TypeName');
  if (type !== undefined) return strings(type.names);
  return items(node).flatMap((item) => {
    const inner = as(item, 'TypeName');
    return inner === undefined ? strings([item]) : strings(inner.names).slice(-1);
  });
}

export function objectResource(type: string | undefined, node: Node | undefined, env: Env): Resource {
  const parts = nameParts(node);
  const name = parts.at(-1) ?? '';
  const kind = type ?? '';
  if (relations.has(kind)) return relationResource(toRangeVar(parts), env);
  if (partsOfRelations.has(kind)) return relationResource(toRangeVar(parts.slice(0, -1)), env);
  if (kind === 'OBJECT_SCHEMA') return schemaResource(env.ctx.target, name);
  if (kind === 'OBJECT_ROLE') return inTarget('Role', env.ctx.target, name);
  const child = schemaObjects[kind];
  if (child !== undefined) return schemaChild(child, parts, env);
  const label = kind.replace('OBJECT_', '').toLowerCase() || 'object';
  return inTarget('TargetObject', env.ctx.target, `${label}:${parts.join('.')}`);
}

export function schemaChild(type: SchemaChild, parts: readonly string[], env: Env): Resource {
  const schema = env.names.creationSchemaOf(parts.at(-2));
  return inSchema(type, env.ctx.target, schema, parts.at(-1) ?? '');
}

/** The relation's resource, whether or not it exists (DROP IF EXISTS, CREATE). */
export function relationResource(range: RangeVar, env: Env): Resource {
  const found = env.names.find(range);
  if (found !== undefined) return resourceOf(found, env);
  return inSchema('Table', env.ctx.target, env.names.creationSchema(range), range.relname ?? '');
}

export function resourceOf(relation: Relation, env: Env): Resource {
  const type = relation.kind === 'sequence' ? 'Sequence' : relation.kind === 'index' ? 'SchemaObject' : 'Table';
  return inSchema(type, env.ctx.target, relation.schema, relation.name);
}
