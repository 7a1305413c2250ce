import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { SessionCounts } from '@sluice/core/pipeline/ports.ts';
import { sql } from 'kysely';
import { schemaName } from './migrations.ts';
import type { Queries } from './store-port.ts';

/** A session as it is entered. */
interface OpenedRow {
  readonly id: string;
  readonly gateway: string;
  readonly principal_id: string;
  readonly principal: unknown;
  readonly target: string;
  readonly connector: string;
  readonly tags: unknown;
  readonly client: unknown;
  readonly recording_path: string;
  readonly started_at: number;
}

interface Ended {
  readonly id: string;
  readonly reason: EndReason;
  readonly counts: SessionCounts | undefined;
  readonly at: number;
}

export type Change = { readonly kind: 'opened'; readonly row: OpenedRow } | ({ readonly kind: 'ended' } & Ended);

interface EndColumns {
  readonly ended_at: number;
  readonly end_reason: EndReason;
  readonly counts: SessionCounts | null;
}

const sessions = sql.id(schemaName, 'sessions');

export function rowOf(session: SessionInfo, gateway: string, recordingPath: string): OpenedRow {
  return {
    id: session.id,
    gateway,
    principal_id: session.principal.id,
    principal: session.principal,
    target: session.target.name,
    connector: session.target.connector,
    tags: session.target.tags,
    client: session.client,
    recording_path: recordingPath,
    started_at: session.startedAt,
  };
}

/** In the order in which they came; only the first end of a session counts. Rejects with the driver's error. */
export async function writeChanges(db: Queries, changes: readonly Change[]): Promise<void> {
  const opened = new Map<string, OpenedRow & Partial<EndColumns>>();
  const ended = new Map<string, EndColumns>();
  for (const change of changes) {
    if (change.kind === 'opened') {
      opened.set(change.row.id, change.row);
      continue;
    }
    const columns = { ended_at: change.at, end_reason: change.reason, counts: change.counts ?? null };
    const row = opened.get(change.id);
    if (row && row.ended_at === undefined) opened.set(change.id, { ...row, ...columns });
    else if (!row && !ended.has(change.id)) ended.set(change.id, columns);
  }
  if (opened.size > 0) await insert(db, [...opened.values()]);
  if (ended.size > 0) await end(db, ended);
}

/** However many there are, the text is the same. */
async function insert(db: Queries, rows: readonly OpenedRow[]): Promise<void> {
  await sql`
    insert into ${sessions} (id, gateway, principal_id, principal, target, connector, tags, client, recording_path,
      started_at, ended_at, end_reason, counts)
    select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as opened (id text, gateway text,
      principal_id text, principal jsonb, target text, connector text, tags jsonb, client jsonb, recording_path text,
      started_at bigint, ended_at bigint, end_reason text, counts jsonb)
  `.execute(db);
}

async function end(db: Queries, ended: ReadonlyMap<string, EndColumns>): Promise<void> {
  const rows = [...ended].map(([id, columns]) => ({ id, ...columns }));
  await sql`
    update ${sessions} set ended_at = ended.ended_at, end_reason = ended.end_reason, counts = ended.counts
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as ended (id text, ended_at bigint, end_reason text,
      counts jsonb)
    where ${sessions}.id = ended.id and ${sessions}.ended_at is null
  `.execute(db);
}
