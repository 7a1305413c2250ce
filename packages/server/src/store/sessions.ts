import type { Selectable } from 'kysely';
import type { SessionEntry, SessionIndex } from './session-index.ts';
import type { Store } from './store-port.ts';
import type { Tables } from './tables.ts';

/** `gateway` names this gateway among those that share the store, and must be the same after a restart. */
export function sessionIndex(store: Store, gateway: string): SessionIndex {
  const { db } = store;
  return {
    async opened(session, recordingPath) {
      await db
        .insertInto('sessions')
        .values({
          id: session.id,
          gateway,
          principal_id: session.principal.id,
          principal: JSON.stringify(session.principal),
          target: session.target.name,
          connector: session.target.connector,
          tags: JSON.stringify(session.target.tags),
          client: JSON.stringify(session.client),
          recording_path: recordingPath,
          started_at: session.startedAt,
          ended_at: null,
          end_reason: null,
          counts: null,
        })
        .execute();
    },
    async ended(id, reason, counts, at) {
      await db
        .updateTable('sessions')
        .set({ ended_at: at, end_reason: reason, counts: JSON.stringify(counts) })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .execute();
    },
    async list(filter) {
      let query = db.selectFrom('sessions').selectAll();
      if (filter.target !== undefined) query = query.where('target', '=', filter.target);
      if (filter.principal !== undefined) query = query.where('principal_id', '=', filter.principal);
      if (filter.live !== undefined) query = query.where('ended_at', filter.live ? 'is' : 'is not', null);
      if (filter.before !== undefined) query = query.where('started_at', '<', filter.before);
      const rows = await query
        .orderBy('started_at', 'desc')
        .orderBy('id', 'desc')
        .limit(Math.min(1_000, Math.max(1, filter.limit)))
        .execute();
      return rows.map(fromTable);
    },
    async get(id) {
      const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromTable(row);
    },
    async interrupted(at) {
      const rows = await db
        .updateTable('sessions')
        .set({ ended_at: at, end_reason: 'interrupted' })
        .where('gateway', '=', gateway)
        .where('ended_at', 'is', null)
        .returningAll()
        .execute();
      return rows.map(fromTable);
    },
  };
}

function fromTable(row: Selectable<Tables['sessions']>): SessionEntry {
  return {
    id: row.id,
    gateway: row.gateway,
    principal: row.principal,
    target: row.target,
    connector: row.connector,
    client: row.client,
    recordingPath: row.recording_path,
    startedAt: row.started_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
    ...(row.counts === null ? {} : { counts: row.counts }),
    live: row.ended_at === null,
  };
}
