import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessRequestDraft } from '@sluice/core/contract/approvals.ts';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { AuditEvent } from '@sluice/core/domain/audit-event.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../../../../test/harness/postgres.ts';
import { prepareStore } from '../../../../test/harness/prepared-store.ts';
import { randomIds } from '../crypto/ids.ts';
import { accessRequestRows } from '../store/access-requests.ts';
import { principalRows } from '../store/principals.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store-port.ts';
import { type AccessRequestOptions, createAccessRequests } from './access-requests.ts';
import type { AccessRequestService } from './service.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

/** Time that stands still until it is told to go on. */
class TestClock implements Clock {
  time = 1_763_600_000_000;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.time += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.time || !this.#timers.delete(timer)) continue;
      timer.callback();
    }
  }
}

function person(id: string, groups: string[] = ['dba']): Principal {
  return {
    kind: 'user',
    id: `idp#${id}`,
    issuer: 'idp',
    subject: id,
    displayName: id,
    groups,
    chain: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
  };
}

let server: TestPostgres;
let folder: string;
let clock: TestClock;
let audited: AuditEvent[];
let counter = 0;

function draft(more: Partial<AccessRequestDraft> = {}): AccessRequestDraft {
  counter += 1;
  return {
    session: `ses_${counter}`,
    requester: { kind: 'agent', id: 'idp#bot' },
    requesterName: 'bot',
    behind: ['idp#bot', 'idp#olga'],
    owner: { kind: 'user', id: 'idp#olga' },
    target: 'shop',
    unit: 'Query',
    actions: [
      { verb: 'sql:update', access: 'write', resources: ['Table::shop/public/x'], text: 'update x set a = $1' },
    ],
    parameters: ['1', null, 'NUL \0, half a pair \ud800, override \u202e'],
    binding: { search_path: 'public' },
    labels: [],
    digest: `digest-${counter}`,
    consents: [{ policy: 'p', group: 'dba', quorum: 1 }],
    reasons: ['writes need a DBA'],
    policyHash: 'h',
    expiresAt: clock.now() + 60_000,
    grantTtl: 10_000,
    ...more,
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-requests-'));
  await prepareStore(folder);
  server = await createTestPostgres();
});
afterAll(async () => {
  await server.stop('immediate');
  await rm(folder, { recursive: true, force: true });
});

async function gateway(store: Store, options: AccessRequestOptions = {}): Promise<AccessRequestService> {
  return createAccessRequests(
    {
      rows: accessRequestRows(store),
      principals: principalRows(store, clock),
      clock,
      ids: randomIds,
      audit: { record: (event) => audited.push(event) },
      log: quiet,
    },
    options,
  );
}

const kinds = [
  ['embedded', () => openStore({ kind: 'embedded', dir: folder }, quiet)],
  ['postgres', () => openStore({ kind: 'postgres', url: server.url }, quiet)],
] as const;

describe.each(kinds)('access requests over a store of kind %s', (_kind, open) => {
  let store: Store;
  let requests: AccessRequestService;

  beforeAll(async () => {
    clock = new TestClock();
    store = await open();
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    clock = new TestClock();
    audited = [];
    await store.db.deleteFrom('access_requests').execute();
    await store.db.deleteFrom('principals').execute();
    await store.db.deleteFrom('disabled_principals').execute();
    requests = await gateway(store);
  });
  afterEach(() => requests.close());

  it('keeps what was asked to the letter', async () => {
    const asked = draft({ run: { run: 'nightly', intent: 'tidy up' } });
    const opened = await requests.open(asked);
    expect(opened).toMatchObject({ ...asked, state: 'pending', approvals: [], createdAt: clock.now() });
    expect(await requests.get(opened.id)).toEqual(opened);
    expect(await requests.get('req_none')).toBeUndefined();
  });

  it('goes from open to used, once, and wakes who waits', async () => {
    const { id, digest } = await requests.open(draft());
    const settled = requests.settled(id, never);
    const answered = await requests.answer(id, person('dora'), 'approve', '  fine  ');
    expect(answered).toMatchObject({ state: 'approved', expiresAt: clock.now() + 10_000 });
    expect(await settled).toEqual(answered);
    expect(answered.approvals).toEqual([
      {
        reviewer: { kind: 'user', id: 'idp#dora' },
        reviewerName: 'dora',
        answer: 'approve',
        groups: ['dba'],
        comment: 'fine',
        at: clock.now(),
      },
    ]);
    expect(await requests.use(id, 'another digest')).toBe(false);
    expect(await requests.use(id, digest)).toBe(true);
    expect(await requests.use(id, digest)).toBe(false);
    expect(await requests.use('req_none', digest)).toBe(false);
    expect(audited.map((event) => [event.name, 'state' in event ? event.state : ''])).toEqual([
      ['request.opened', ''],
      ['request.answered', ''],
      ['request.settled', 'approved'],
      ['request.settled', 'used'],
    ]);
  });

  it('lets one of many uses at once win', async () => {
    const { id, digest } = await requests.open(draft());
    await requests.answer(id, person('dora'), 'approve');
    const wins = await Promise.all(Array.from({ length: 12 }, () => requests.use(id, digest)));
    expect(wins.filter(Boolean)).toHaveLength(1);
  });

  it('finds what stands: pending, then approved, then a new one', async () => {
    const asked = draft();
    const first = await requests.open(asked);
    expect((await requests.open({ ...asked, session: 'another' })).id).toBe(first.id);
    await requests.answer(first.id, person('dora'), 'approve');
    expect(await requests.open(asked)).toMatchObject({ id: first.id, state: 'approved' });
    await requests.use(first.id, asked.digest);
    expect(await requests.open(asked)).toMatchObject({ state: 'pending' });
    expect((await requests.list({ limit: 10 })).length).toBe(2);
  });

  it('opens one when the same is asked many times at once', async () => {
    const asked = draft();
    const opened = await Promise.all(Array.from({ length: 10 }, () => requests.open(asked)));
    expect(new Set(opened.map((request) => request.id)).size).toBe(1);
  });

  it.each<[string, Partial<AccessRequestDraft>]>([
    ['another requester', { requester: { kind: 'agent', id: 'idp#bot2' } }],
    ['another content', { digest: 'other' }],
    ['another policy', { consents: [{ policy: 'q', group: 'dba', quorum: 1 }] }],
    ['another group', { consents: [{ policy: 'p', group: 'sec', quorum: 1 }] }],
    ['another quorum', { consents: [{ policy: 'p', group: 'dba', quorum: 2 }] }],
  ])('never takes one request for that of %s', async (_what, more) => {
    const asked = draft();
    const first = await requests.open(asked);
    await requests.answer(first.id, person('dora'), 'approve');
    expect(await requests.open({ ...asked, ...more })).toMatchObject({ state: 'pending' });
  });

  it('does not care in which order consents are listed', async () => {
    const consents = [
      { policy: 'p', group: 'dba', quorum: 1 },
      { policy: 'q', group: 'sec', quorum: 1 },
    ];
    const asked = draft({ consents });
    const first = await requests.open(asked);
    expect((await requests.open({ ...asked, consents: [...consents].reverse() })).id).toBe(first.id);
  });

  it('remembers a denial for the session and for the run, and not beyond', async () => {
    const asked = draft({ run: { run: 'run-1' } });
    const first = await requests.open(asked);
    const denied = await requests.answer(first.id, person('dora'), 'deny', 'never on Fridays');
    expect(denied.state).toBe('denied');
    expect(await requests.open(asked)).toEqual(denied);
    expect(await requests.open({ ...asked, session: 'later', run: { run: 'run-1' } })).toEqual(denied);
    const elsewhere = await requests.open({ ...asked, session: 'later', run: { run: 'run-2' } });
    expect(elsewhere).toMatchObject({ state: 'pending' });
    await requests.cancel(elsewhere.id);
    const { run: _run, ...withoutRun } = asked;
    expect(await requests.open({ ...withoutRun, session: 'later' })).toMatchObject({ state: 'pending' });
  });

  it('forgets a denial after its time', async () => {
    const asked = draft();
    await requests.answer((await requests.open(asked)).id, person('dora'), 'deny');
    clock.advance(86_400_000 + 1);
    expect(await requests.open({ ...asked, expiresAt: clock.now() + 1_000 })).toMatchObject({ state: 'pending' });
  });

  it('refuses answers in words for people', async () => {
    const { id } = await requests.open(draft());
    const refusal = (by: Principal) => requests.answer(id, by, 'approve').catch((error: unknown) => error);
    expect(await refusal(person('bot'))).toMatchObject({ code: 'own_request', source: 'policy' });
    expect(await refusal(person('olga'))).toMatchObject({ code: 'own_request' });
    expect(await refusal(person('eve', ['ops']))).toMatchObject({ code: 'not_a_reviewer' });
    expect(await refusal({ ...person('ai'), kind: 'agent' })).toMatchObject({ code: 'not_a_person' });
    await expect(requests.answer('req_none', person('dora'), 'approve')).rejects.toMatchObject({ code: 'not_found' });
    await expect(requests.answer(id, person('dora'), 'approve', 'x'.repeat(2_001))).rejects.toMatchObject({
      code: 'comment_too_long',
    });
    await requests.answer(id, person('dora'), 'approve');
    expect(await refusal(person('dave'))).toMatchObject({ code: 'settled' });
    expect(await requests.get(id)).toMatchObject({ state: 'approved', approvals: [{ reviewer: { id: 'idp#dora' } }] });
  });

  it('settles one race between approval and denial one way', async () => {
    const { id } = await requests.open(draft());
    const answers = await Promise.allSettled([
      requests.answer(id, person('dora'), 'approve'),
      requests.answer(id, person('dave'), 'deny'),
    ]);
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
    expect((await requests.get(id))?.approvals).toHaveLength(1);
  });

  it('counts two answers at the same time towards one quorum', async () => {
    const { id } = await requests.open(draft({ consents: [{ policy: 'p', group: 'dba', quorum: 2 }] }));
    await Promise.all([requests.answer(id, person('dora'), 'approve'), requests.answer(id, person('dave'), 'approve')]);
    expect((await requests.get(id))?.state).toBe('approved');
  });

  it('reads membership again when the grant is used', async () => {
    const asked = draft();
    const { id } = await requests.open(asked);
    await requests.answer(id, person('dora'), 'approve');
    await principalRows(store, clock).seen(person('dora', ['ops']));
    expect(await requests.use(id, asked.digest)).toBe(false);
    expect(await requests.get(id)).toMatchObject({ state: 'revoked' });
    expect(await requests.open(asked)).toMatchObject({ state: 'pending' });
  });

  it('does not count a reviewer who was disabled meanwhile', async () => {
    const { id, digest } = await requests.open(draft());
    await requests.answer(id, person('dora'), 'approve');
    await principalRows(store, clock).disable('idp#dora', 'idp#admin', 'left');
    expect(await requests.use(id, digest)).toBe(false);
  });

  it('takes a grant back', async () => {
    const { id, digest } = await requests.open(draft());
    await expect(requests.revoke(id, person('dora'))).rejects.toMatchObject({ code: 'not_approved' });
    await requests.answer(id, person('dora'), 'approve');
    await requests.revoke(id, person('dora'));
    expect(await requests.use(id, digest)).toBe(false);
  });

  it('expires what waits when its time is over, and wakes who waits', async () => {
    const { id } = await requests.open(draft());
    const settled = requests.settled(id, never);
    // The wait is set up before time goes on.
    await requests.get(id);
    clock.advance(60_000);
    expect(await settled).toMatchObject({ id, state: 'expired', settledAt: clock.now() });
    await expect(requests.answer(id, person('dora'), 'approve')).rejects.toMatchObject({ code: 'settled' });
    expect(audited).toContainEqual({ name: 'request.settled', request: id, state: 'expired' });
  });

  it('does not let an unused grant outlive its time', async () => {
    const { id, digest } = await requests.open(draft());
    await requests.answer(id, person('dora'), 'approve');
    clock.time += 10_000;
    expect(await requests.use(id, digest)).toBe(false);
    expect(await requests.get(id)).toMatchObject({ state: 'expired' });
  });

  it('shows nothing as pending whose time is over, also without a timer', async () => {
    await requests.open(draft());
    clock.time += 60_000;
    expect(await requests.list({ state: 'pending', limit: 10 })).toEqual([]);
    expect(await requests.list({ state: 'expired', limit: 10 })).toHaveLength(1);
  });

  it('ends a wait that is aborted, with the state as it is', async () => {
    const { id } = await requests.open(draft());
    const abort = new AbortController();
    const settled = requests.settled(id, abort.signal);
    abort.abort();
    expect(await settled).toMatchObject({ id, state: 'pending' });
    expect(await requests.settled(id, abort.signal)).toMatchObject({ state: 'pending' });
    await expect(requests.settled('req_none', never)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('withdraws what waits, and nothing else', async () => {
    const asked = draft();
    const { id } = await requests.open(asked);
    const settled = requests.settled(id, never);
    await requests.cancel(id);
    expect(await settled).toMatchObject({ state: 'cancelled' });
    await expect(requests.answer(id, person('dora'), 'approve')).rejects.toMatchObject({ code: 'settled' });
    const again = await requests.open(asked);
    await requests.answer(again.id, person('dora'), 'approve');
    await requests.cancel(again.id);
    await requests.cancel('req_none');
    expect(await requests.get(again.id)).toMatchObject({ state: 'approved' });
  });

  it('bounds how many a requester may have pending', async () => {
    await requests.close();
    requests = await gateway(store, { maxPending: 2 });
    const asked = draft();
    await requests.open(asked);
    const second = await requests.open(draft());
    await expect(requests.open(draft())).rejects.toMatchObject({ code: 'too_many_pending' });
    expect(await requests.open(asked)).toMatchObject({ state: 'pending' });
    await requests.open(draft({ requester: { kind: 'agent', id: 'idp#other' } }));
    await requests.cancel(second.id);
    await requests.open(draft());
    const atOnce = await Promise.allSettled(
      Array.from({ length: 6 }, () => requests.open(draft({ requester: { kind: 'agent', id: 'idp#third' } }))),
    );
    expect(atOnce.filter((one) => one.status === 'fulfilled')).toHaveLength(2);
  });

  it('lists newest first, by state, target and requester, page by page', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.push((await requests.open(draft({ target: index % 2 ? 'shop' : 'crm' }))).id);
      clock.time += 1;
    }
    const idsOf = async (filter: Parameters<AccessRequestService['list']>[0]) =>
      (await requests.list(filter)).map((request) => request.id);
    expect(await idsOf({ limit: 10 })).toEqual([...ids].reverse());
    expect(await idsOf({ limit: 10, target: 'shop' })).toEqual([ids[3], ids[1]]);
    expect(await idsOf({ limit: 10, requester: 'idp#nobody' })).toEqual([]);
    expect(await idsOf({ limit: 10, state: 'approved' })).toEqual([]);
    const page = await requests.list({ limit: 2 });
    expect(await idsOf({ limit: 2, before: page[1]!.createdAt })).toEqual([ids[2], ids[1]]);
  });

  it('does nothing that cannot be recorded', async () => {
    await requests.close();
    let full = false;
    requests = await createAccessRequests({
      rows: accessRequestRows(store),
      principals: principalRows(store, clock),
      clock,
      ids: randomIds,
      audit: {
        record: () => {
          if (full) throw new Error('disk full');
        },
      },
      log: quiet,
    });
    const { id, digest } = await requests.open(draft());
    full = true;
    await expect(requests.open(draft())).rejects.toThrow('disk full');
    await expect(requests.answer(id, person('dora'), 'approve')).rejects.toThrow('disk full');
    expect(await requests.get(id)).toMatchObject({ state: 'pending', approvals: [] });
    full = false;
    await requests.answer(id, person('dora'), 'approve');
    full = true;
    await expect(requests.use(id, digest)).rejects.toThrow('disk full');
    expect(await requests.get(id)).toMatchObject({ state: 'approved' });
    expect(await requests.list({ limit: 10 })).toHaveLength(1);
  });

  it('finds pending requests again after a restart, and their time still runs', async () => {
    const asked = draft();
    const { id } = await requests.open(asked);
    await requests.close();
    requests = await gateway(store);
    expect((await requests.open({ ...asked, session: 'after the restart' })).id).toBe(id);
    const settled = requests.settled(id, never);
    await requests.get(id);
    clock.advance(60_000);
    expect((await settled).state).toBe('expired');
  });
});

describe('two gateways on one store', () => {
  let stores: [Store, Store];
  let here: AccessRequestService;
  let there: AccessRequestService;

  beforeAll(async () => {
    clock = new TestClock();
    audited = [];
    const open = () => openStore({ kind: 'postgres', url: server.url }, quiet);
    stores = await Promise.all([open(), open()]);
    await stores[0].db.deleteFrom('access_requests').execute();
    [here, there] = await Promise.all([gateway(stores[0]), gateway(stores[1])]);
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('let one of them win a use', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { id, digest } = await here.open(draft());
      await there.answer(id, person('dora'), 'approve');
      const wins = await Promise.all([here, there, here, there].map((gate) => gate.use(id, digest)));
      expect(wins.filter(Boolean)).toHaveLength(1);
    }
  });

  it('open one request for one question', async () => {
    const asked = draft();
    const opened = await Promise.all([here, there, here, there].map((gate) => gate.open(asked)));
    expect(new Set(opened.map((request) => request.id)).size).toBe(1);
  });

  it('wake each other', async () => {
    const { id } = await here.open(draft());
    const settled = here.settled(id, never);
    await there.answer(id, person('dora'), 'deny', 'no');
    expect(await settled).toMatchObject({ state: 'denied', approvals: [{ comment: 'no' }] });
  });

  it('read anew what they wait for after the connection for notifications was lost', async () => {
    const { id } = await here.open(draft());
    const settled = here.settled(id, never);
    await here.get(id);
    // Every connection of both is cut; the answer may be told before the other side listens again.
    await server.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice' and pid <> pg_backend_pid()`,
    );
    // A connection that was cut while idle fails at its next use, and there are several of them.
    for (let left = 10; left > 0; left -= 1) {
      const error = await there.answer(id, person('dora'), 'approve').catch((reason: unknown) => reason);
      if (!(error instanceof Error)) break;
    }
    expect(await settled).toMatchObject({ state: 'approved' });
  });
});
