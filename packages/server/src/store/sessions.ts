import type { Selectable } from 'kysely';
import { Gathered } from './gathered.ts';
import { type Change, rowOf, writeChanges } from './session-changes.ts';
import type { SessionEntry, SessionIndex } from './session-index.ts';
import type { Store } from './store-port.ts';
import type { Tables } from './tables.ts';

const channel = 'session_kill';

/** Milliseconds. Many sessions are over before that: such a one is written once. */
const gatherFor = 50;

/** `gateway` names this gateway among those that share the store, and must be the same after a restart. */
export function sessionIndex(store: Store, gateway: string): SessionIndex {
  const { db } = store;
  const writes = new Gathered<Change>(gatherFor, (changes) => writeChanges(db, changes));
  return {
    opened: (session, recordingPath) => writes.add({ kind: 'opened', row: rowOf(session, gateway, recordingPath) }),
    ended: (id, reason, counts, at) => writes.add({ kind: 'ended', id, reason, counts, at }),
    async list(filter) {
      await writes.flush();
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
      await writes.flush();
      const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromTable(row);
    },
    async kill(id, by, at) {
      await writes.flush();
      return store.transaction(async (trx) => {
        const live = await trx
          .selectFrom('sessions')
          .select('killed_at')
          .where('id', '=', id)
          .where('ended_at', 'is', null)
          .forUpdate()
          .executeTakeFirst();
        if (!live) return false;
        // Told again when asked again: whoever is in a hurry need not know that someone was before.
        await store.notify(channel, id, trx);
        if (live.killed_at === null) {
          await trx.updateTable('sessions').set({ killed_by: by, killed_at: at }).where('id', '=', id).execute();
        }
        return true;
      });
    },
    async onKill(callback) {
      let stopped = false;
      const missed = async (): Promise<void> => {
        const rows = await db
          .selectFrom('sessions')
          .select('id')
          .where('gateway', '=', gateway)
          .where('ended_at', 'is', null)
          .where('killed_at', 'is not', null)
          .execute();
        for (const { id } of rows) callback(id);
      };
      const unsubscribe = await store.subscribe(channel, (notice) => {
        if (notice.kind === 'message') callback(notice.payload);
        else void untilDone(missed, () => stopped);
      });
      return () => {
        stopped = true;
        return unsubscribe();
      };
    },
    async interrupted(at) {
      await writes.flush();
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

/** The store is only just back, and may be gone again; what it would have told must not be missed for that. */
async function untilDone(work: () => Promise<void>, stopped: () => boolean): Promise<void> {
  for (let wait = 200; !stopped(); wait = Math.min(5_000, wait * 2)) {
    try {
      await work();
      return;
    } catch {
      await new Promise<void>((resolve) => void setTimeout(resolve, wait).unref());
    }
  }
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
    ...(row.killed_by === null ? {} : { killedBy: row.killed_by }),
    live: row.ended_at === null,
  };
}
