import { childResource, type Resource, targetResource } from '@sluice/core/domain/resource.ts';

/**
 * What SQL statements act on, as resources: Target > Schema > Table, Sequence, Function, Type; and straight under the
 * target whatever has no schema. It names things; it does not know which of them exist.
 */

/** A name may itself contain the separator; two different paths must never make one id. */
function segment(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}

export type SchemaChild = 'Table' | 'Sequence' | 'Function' | 'Type' | 'SchemaObject';
export type TargetChild = 'Setting' | 'Role' | 'Channel' | 'TargetObject';

export function schemaResource(target: string, schema: string): Resource {
  return childResource('Schema', targetResource(target), segment(schema));
}

export function inSchema(type: SchemaChild, target: string, schema: string, name: string): Resource {
  return childResource(type, schemaResource(target, schema), segment(name));
}

export function inTarget(type: TargetChild, target: string, name: string): Resource {
  return childResource(type, targetResource(target), segment(name));
}

export { targetResource };
