import type { DocumentPath } from './problem.ts';

type Json = Readonly<Record<string, unknown>>;

/** The keys that a JSON Schema allows at a place of the document; alternatives that the value rules out do not count. */
export function knownKeys(schema: unknown, path: DocumentPath, value: unknown): string[] {
  let schemas = alternatives(schema, value);
  let current = value;
  for (const step of path) {
    current = own(current, step);
    schemas = schemas.flatMap((one) => {
      const next =
        typeof step === 'number' ? one['items'] : (own(one['properties'], step) ?? one['additionalProperties']);
      return alternatives(next, current);
    });
  }
  return [...new Set(schemas.flatMap((one) => (isJson(one['properties']) ? Object.keys(one['properties']) : [])))];
}

function alternatives(schema: unknown, value: unknown): Json[] {
  if (!isJson(schema)) return [];
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (!Array.isArray(options)) return [schema];
  const all = options.filter(isJson);
  const fitting = all.filter((option) =>
    Object.entries(isJson(option['properties']) ? option['properties'] : {}).every(([key, property]) => {
      const constant = isJson(property) ? property['const'] : undefined;
      return constant === undefined || own(value, key) === constant;
    }),
  );
  return fitting.length > 0 ? fitting : all;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}
