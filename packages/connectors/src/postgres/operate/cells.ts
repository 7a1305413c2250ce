import type { Json } from '@sluice/core/domain/json.ts';
import type { CatalogType } from '../catalog/catalog.ts';

export type Types = (oid: number) => Pick<CatalogType, 'name' | 'element'> | undefined;

/** OIDs that PostgreSQL never changes (src/include/catalog/pg_type.dat). */
const bool = 16;
const int8 = 20;
const int2 = 21;
const int4 = 23;
const oid = 26;
const float4 = 700;
const float8 = 701;
const numbers: ReadonlySet<number> = new Set([int8, int2, int4, oid, float4, float8]);

/**
 * The cell as JSON: booleans and numbers as such where JSON can hold them exactly, everything else as the text that the
 * database gives (PostgreSQL documentation, "Data Types").
 */
export function cellValue(type: number, text: string | null): Json {
  if (text === null) return null;
  if (type === bool && (text === 't' || text === 'f')) return text === 't';
  if (!numbers.has(type)) return text;
  const value = Number(text);
  const exact = type === float4 || type === float8 ? Number.isFinite(value) : Number.isSafeInteger(value);
  return exact && text.trim() !== '' ? value : text;
}

/** The parameter in the text form that the database reads (protocol, "Bind"). */
export function parameterText(value: string | number | boolean | null): string | null {
  return value === null ? null : String(value);
}

/** A type's name as people write it: `text[]` for an array of it. */
export function typeName(type: number, types: Types): string {
  const known = types(type);
  if (known === undefined) return String(type);
  const element = known.element === 0 ? undefined : types(known.element);
  return element && known.name.startsWith('_') ? `${element.name}[]` : known.name;
}
