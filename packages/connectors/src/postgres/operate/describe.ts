/** What of a database a principal may read: asked of policy table by table, and column by column where it must be. */
import type { Session } from '@sluice/core/contract/session.ts';
import type { Effect } from '@sluice/core/domain/decision.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { Catalog, Column, Relation, RelationKind } from '../catalog/catalog.ts';
import { MeaningError } from '../meaning/error.ts';
import { type Grounds, understand, unitOf } from '../session/understand.ts';
import { typeName } from './cells.ts';

const mostTables = 100;
const mostColumns = 3_000;
/** Tables that policy is asked about, read or not. */
const mostAsked = 2_000;

const shown: ReadonlySet<RelationKind> = new Set([
  'table',
  'partitioned_table',
  'view',
  'materialized_view',
  'foreign_table',
]);

export async function describeTables(session: Session, grounds: Grounds, filter: string): Promise<JsonObject> {
  await grounds.catalog.freshen();
  const catalog = grounds.catalog.current();
  const wanted = [...catalog.relations()]
    .filter(({ kind, system, persistence }) => shown.has(kind) && !system && persistence !== 'temporary')
    .filter(({ schema, name }) => `${schema}.${name}`.toLowerCase().includes(filter))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const tables: JsonObject[] = [];
  let columns = 0;
  let truncated = wanted.length > mostAsked;
  for (const relation of wanted.slice(0, mostAsked)) {
    if (tables.length === mostTables || columns > mostColumns) {
      truncated = true;
      break;
    }
    const readable = await readableOf(session, grounds, relation);
    if (!readable) continue;
    columns += readable.columns.length;
    tables.push({
      schema: relation.schema,
      name: relation.name,
      kind: relation.kind,
      ...(readable.effect === 'hold' ? { needs_consent: true } : {}),
      columns: readable.columns.map((column) => columnOf(session, catalog, relation, column)),
    });
    // Others have their turn: a schema can be large.
    await new Promise((resolve) => setImmediate(resolve));
  }
  session.record({ type: 'event', name: 'described', detail: { filter, tables: tables.length, truncated } });
  return { tables, truncated };
}

interface Readable {
  readonly effect: Effect;
  readonly columns: readonly Column[];
}

async function readableOf(session: Session, grounds: Grounds, relation: Relation): Promise<Readable | undefined> {
  const effect = await effectOf(session, grounds, '*', relation);
  if (effect !== 'deny') return { effect, columns: relation.columns };
  // A policy may speak of columns: what it leaves over is what can be read.
  if ((await effectOf(session, grounds, '1', relation)) === 'deny') return undefined;
  const columns: Column[] = [];
  for (const column of relation.columns) {
    if ((await effectOf(session, grounds, quoted(column.name), relation)) !== 'deny') columns.push(column);
  }
  return columns.length > 0 ? { effect: 'allow', columns } : undefined;
}

async function effectOf(session: Session, grounds: Grounds, what: string, relation: Relation): Promise<Effect> {
  const text = `SELECT ${what} FROM ${quoted(relation.schema)}.${quoted(relation.name)} LIMIT 1`;
  try {
    const meanings = await understand(grounds, text);
    return session.would(unitOf(grounds, { name: 'Query', frame: nothing, text, meanings, parameters: [] }));
  } catch (error) {
    // What cannot be understood cannot be read either.
    if (error instanceof MeaningError) return 'deny';
    throw error;
  }
}

function columnOf(session: Session, catalog: Catalog, relation: Relation, column: Column): JsonObject {
  const labels = catalog.columnLabels(relation.oid, column.attnum) ?? [];
  const masked = session.hides(labels);
  const type = typeName(column.type, (oid) => catalog.typeByOid(oid));
  return { name: column.name, type, ...(masked.length > 0 ? { masked: [...masked] } : {}) };
}

function nameOf({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const nothing = Buffer.alloc(0);
