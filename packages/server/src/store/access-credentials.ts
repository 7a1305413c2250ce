import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { AccessCredentialRow, AccessCredentialRows } from './access-credential-rows.ts';
import type { Store } from './store-port.ts';
import type { Tables } from './tables.ts';

const channel = 'access_credential_revoked';

export function accessCredentialRows(store: Store): AccessCredentialRows {
  const { db } = store;
  return {
    async insert(row) {
      await db
        .insertInto('access_credentials')
        .values({
          id: row.id,
          salt: Buffer.from(row.verifier.salt),
          iterations: row.verifier.iterations,
          stored_key: Buffer.from(row.verifier.storedKey),
          server_key: Buffer.from(row.verifier.serverKey),
          principal_id: row.principal.id,
          principal: JSON.stringify(row.principal),
          target: row.target,
          created_at: row.createdAt,
          expires_at: row.expiresAt,
          uses_left: row.usesLeft ?? null,
          revoked_at: row.revokedAt ?? null,
        })
        .execute();
    },
    async find(id) {
      const row = await db.selectFrom('access_credentials').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromTable(row);
    },
    async spend(id, target, now) {
      const row = await db
        .updateTable('access_credentials')
        .set({ uses_left: sql<number | null>`uses_left - 1` })
        .where('id', '=', id)
        .where('target', '=', target)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', now)
        .where((on) => on.or([on('uses_left', 'is', null), on('uses_left', '>', 0)]))
        .returningAll()
        .executeTakeFirst();
      return row && fromTable(row);
    },
    revoke(id, now) {
      return store.transaction(async (trx) => {
        const result = await trx
          .updateTable('access_credentials')
          .set({ revoked_at: now })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        const revoked = result.numUpdatedRows > 0n;
        if (revoked) await store.notify(channel, id, trx);
        return revoked;
      });
    },
    async listByPrincipal(principalId) {
      const rows = await db
        .selectFrom('access_credentials')
        .selectAll()
        .where('principal_id', '=', principalId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(fromTable);
    },
    async removeExpired(before) {
      const result = await db.deleteFrom('access_credentials').where('expires_at', '<', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    onRevoked(callback) {
      return store.subscribe(channel, (notice) => callback(notice.kind === 'message' ? notice.payload : undefined));
    },
  };
}

function fromTable(row: Selectable<Tables['access_credentials']>): AccessCredentialRow {
  return {
    id: row.id,
    verifier: { salt: row.salt, iterations: row.iterations, storedKey: row.stored_key, serverKey: row.server_key },
    principal: row.principal,
    target: row.target,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.uses_left === null ? {} : { usesLeft: row.uses_left }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  };
}
