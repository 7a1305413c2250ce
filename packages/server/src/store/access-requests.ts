import { createHash } from 'node:crypto';
import { lapse } from '@sluice/core/approvals/machine.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { Consent } from '@sluice/core/domain/decision.ts';
import { type Insertable, sql } from 'kysely';
import type { AccessRequestOpened, AccessRequestOpening, AccessRequestRows } from './access-request-rows.ts';
import { membershipsIn } from './principals.ts';
import { StoreError } from './store-error.ts';
import type { Store, StoreTransaction } from './store-port.ts';
import type { Tables } from './tables.ts';

const channel = 'access_request_changed';

export function accessRequestRows(store: Store): AccessRequestRows {
  const { db } = store;
  return {
    open: (opening) => store.transaction((trx) => open(store, trx, opening)),
    async get(id) {
      const row = await db.selectFrom('access_requests').select('body').where('id', '=', id).executeTakeFirst();
      return row?.body;
    },
    async list(filter) {
      let query = db.selectFrom('access_requests').select('body');
      if (filter.state !== undefined) query = query.where('state', '=', filter.state);
      if (filter.target !== undefined) query = query.where('target', '=', filter.target);
      if (filter.requester !== undefined) query = query.where('requester_id', '=', filter.requester);
      if (filter.before !== undefined) query = query.where('created_at', '<', filter.before);
      const rows = await query
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(Math.min(1_000, Math.max(1, filter.limit)))
        .execute();
      return rows.map((row) => row.body);
    },
    change(id, decide) {
      return store.transaction(async (trx) => {
        const row = await trx
          .selectFrom('access_requests')
          .select('body')
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (!row) return undefined;
        const reviewers = row.body.approvals.map((approval) => approval.reviewer.id);
        const next = decide(row.body, await membershipsIn(trx, reviewers));
        if (next.request !== row.body) await save(store, trx, row.body, next.request);
        return next.result;
      });
    },
    settleDue(now) {
      return store.transaction((trx) => settleDue(store, trx, now));
    },
    async nextDue() {
      const row = await db
        .selectFrom('access_requests')
        .select((of) => of.fn.min('expires_at').as('due'))
        .where('state', 'in', ['pending', 'approved'])
        .executeTakeFirst();
      return row?.due ?? undefined;
    },
    onChange(callback) {
      return store.subscribe(channel, (notice) => callback(notice.kind === 'message' ? notice.payload : undefined));
    },
  };
}

async function open(store: Store, trx: StoreTransaction, opening: AccessRequestOpening): Promise<AccessRequestOpened> {
  const { draft, now } = opening;
  const requester = draft.requester.id;
  // One requester's openings follow each other, over all gateways: otherwise two at once could both find nothing, or
  // both find one place left.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`access request of ${requester}`}, 0))`.execute(trx);
  await settleDue(store, trx, now, requester);
  const standing = await findStanding(trx, opening);
  if (standing) return { kind: 'standing', request: standing };
  const pending = await trx
    .selectFrom('access_requests')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('requester_id', '=', requester)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  if (pending.count >= opening.maxPending) return { kind: 'too_many' };
  const request: AccessRequest = { ...draft, id: opening.id, state: 'pending', approvals: [], createdAt: now };
  await trx.insertInto('access_requests').values(toTable(request)).execute();
  opening.witness(request);
  await store.notify(channel, request.id, trx);
  return { kind: 'created', request };
}

async function findStanding(trx: StoreTransaction, opening: AccessRequestOpening): Promise<AccessRequest | undefined> {
  const { draft } = opening;
  const run = runOf(draft.run?.run);
  const row = await trx
    .selectFrom('access_requests')
    .select('body')
    .where('requester_id', '=', draft.requester.id)
    .where('digest', '=', draft.digest)
    .where('consents_key', '=', consentsKey(draft.consents))
    .where((on) =>
      on.or([
        on('state', 'in', ['pending', 'approved']),
        on.and([
          on('state', '=', 'denied'),
          on('settled_at', '>=', opening.deniedSince),
          on.or([on('session_id', '=', draft.session), ...(run === null ? [] : [on('run_id', '=', run)])]),
        ]),
      ]),
    )
    // One that may still be approved, or is, comes before one that was denied.
    .orderBy((of) => of.case().when('state', '=', 'denied').then(1).else(0).end())
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.body;
}

async function settleDue(
  store: Store,
  trx: StoreTransaction,
  now: number,
  requester?: string,
): Promise<AccessRequest[]> {
  let query = trx
    .selectFrom('access_requests')
    .select('body')
    .where('state', 'in', ['pending', 'approved'])
    .where('expires_at', '<=', now);
  if (requester !== undefined) query = query.where('requester_id', '=', requester);
  // In one order for everybody, so that two gateways that do this at once wait for, rather than block, each other.
  const rows = await query.orderBy('id').forUpdate().execute();
  const settled: AccessRequest[] = [];
  for (const { body } of rows) {
    const next = lapse(body, now);
    if (next === body) continue;
    await save(store, trx, body, next);
    settled.push(next);
  }
  return settled;
}

/** The row is locked by the caller; comparing the state again costs nothing and makes a slip an error. */
async function save(store: Store, trx: StoreTransaction, before: AccessRequest, after: AccessRequest): Promise<void> {
  const { id, ...columns } = toTable(after);
  const result = await trx
    .updateTable('access_requests')
    .set(columns)
    .where('id', '=', id)
    .where('state', '=', before.state)
    .executeTakeFirst();
  if (result.numUpdatedRows !== 1n) {
    throw new StoreError('store_misuse', `Access request ${id} changed while it was locked.`);
  }
  await store.notify(channel, id, trx);
}

function toTable(request: AccessRequest): Insertable<Tables['access_requests']> {
  return {
    id: request.id,
    state: request.state,
    requester_id: request.requester.id,
    session_id: request.session,
    run_id: runOf(request.run?.run),
    target: request.target,
    digest: request.digest,
    consents_key: consentsKey(request.consents),
    created_at: request.createdAt,
    expires_at: request.expiresAt,
    settled_at: request.settledAt ?? null,
    body: JSON.stringify(request),
  };
}

/** Equal for equal sets, whatever their order. */
function consentsKey(consents: readonly Consent[]): string {
  const each = consents.map(({ policy, group, quorum }) => JSON.stringify([policy, group, quorum]));
  // Hashed, because an index can't hold a key of any length.
  return createHash('sha256')
    .update([...new Set(each)].sort().join(' '))
    .digest('hex');
}

/** A claim of the client's, in a column that cannot hold every character. */
function runOf(run: string | undefined): string | null {
  return run === undefined || run === '' ? null : run.replaceAll('\0', '\ufffd').slice(0, 500);
}
