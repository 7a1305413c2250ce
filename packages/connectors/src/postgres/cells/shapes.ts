import type { CellShape } from '@sluice/core/contract/labels.ts';
import type { CatalogType } from '../catalog/catalog.ts';

/** OIDs that PostgreSQL never changes (src/include/catalog/pg_type.dat). */
export const typeOid = {
  name: 19,
  text: 25,
  json: 114,
  unknown: 705,
  bpchar: 1042,
  varchar: 1043,
  uuid: 2950,
  jsonb: 3802,
} as const;

export type TypeLookup = (oid: number) => Pick<CatalogType, 'kind' | 'base' | 'name'> | undefined;

/** varchar(n) and char(n) carry n + 4 in their typmod (VARHDRSZ); -1 means no limit. */
const header = 4;

/** NAMEDATALEN - 1, in bytes; our masks for it are ASCII but for one letter, and stay far below. */
const nameLength = 63;

/**
 * What a mask must look like to be valid for a column of this type. Enums, arrays, numbers, dates and every type that
 * is not known are `other`: they have no text that could stand for any value.
 */
export function cellShape(oid: number, typmod: number, lookup: TypeLookup = () => undefined): CellShape {
  switch (oid) {
    case typeOid.text:
    case typeOid.unknown:
      return { kind: 'text' };
    case typeOid.varchar:
    case typeOid.bpchar:
      return typmod < header ? { kind: 'text' } : { kind: 'text', maxLength: typmod - header };
    case typeOid.name:
      return { kind: 'text', maxLength: nameLength };
    case typeOid.json:
    case typeOid.jsonb:
      return { kind: 'json' };
    case typeOid.uuid:
      return { kind: 'uuid' };
    default:
      return userDefined(oid, typmod, lookup);
  }
}

function userDefined(oid: number, typmod: number, lookup: TypeLookup): CellShape {
  const type = lookup(oid);
  // The server describes a column over a domain by its base type already; a catalog does not. Bases are never cyclic.
  if (type?.kind === 'domain' && type.base !== 0 && type.base !== oid) return cellShape(type.base, typmod, lookup);
  // The citext extension's type has an OID of its own in every database; both of its formats are those of text.
  return type?.kind === 'base' && type.name === 'citext' ? { kind: 'text' } : { kind: 'other' };
}
