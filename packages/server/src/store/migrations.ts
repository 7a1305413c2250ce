/** One step of the schema. Applied once, in order, never changed after a release and never undone. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const schemaName = 'sluice';

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'access requests, access credentials, sessions, principals',
    sql: `
      create table sluice.access_requests (
        id text primary key,
        state text not null check (state in ('pending', 'approved', 'denied', 'expired', 'cancelled', 'used', 'revoked')),
        requester_id text not null,
        session_id text not null,
        run_id text,
        target text not null,
        digest text not null,
        consents_key text not null,
        created_at bigint not null,
        expires_at bigint not null,
        settled_at bigint,
        -- json, not jsonb: kept to the letter, also what jsonb cannot hold (NUL, half a surrogate pair).
        body json not null
      );
      -- At most one stands for a requester, a content and a set of consents.
      create unique index access_requests_standing on sluice.access_requests (requester_id, digest, consents_key)
        where state in ('pending', 'approved');
      create index access_requests_running on sluice.access_requests (expires_at) where state in ('pending', 'approved');
      create index access_requests_denied on sluice.access_requests (requester_id, digest, settled_at) where state = 'denied';
      create index access_requests_listed on sluice.access_requests (created_at desc, id desc);

      create table sluice.access_credentials (
        id text primary key,
        salt bytea not null,
        iterations integer not null,
        stored_key bytea not null,
        server_key bytea not null,
        principal_id text not null,
        principal jsonb not null,
        target text not null,
        created_at bigint not null,
        expires_at bigint not null,
        uses_left integer check (uses_left >= 0),
        revoked_at bigint
      );
      create index access_credentials_principal on sluice.access_credentials (principal_id, created_at desc);
      create index access_credentials_expiry on sluice.access_credentials (expires_at);

      create table sluice.sessions (
        id text primary key,
        gateway text not null,
        principal_id text not null,
        principal jsonb not null,
        target text not null,
        connector text not null,
        tags jsonb not null,
        client jsonb not null,
        recording_path text not null,
        started_at bigint not null,
        ended_at bigint,
        end_reason text,
        counts jsonb
      );
      create index sessions_listed on sluice.sessions (started_at desc, id desc);
      create index sessions_principal on sluice.sessions (principal_id, started_at desc);
      create index sessions_live on sluice.sessions (gateway) where ended_at is null;

      create table sluice.principals (
        id text primary key,
        kind text not null check (kind in ('user', 'agent', 'service')),
        display_name text not null,
        groups jsonb not null,
        owner_id text,
        last_seen bigint not null
      );
      create index principals_owner on sluice.principals (owner_id);

      create table sluice.disabled_principals (
        id text primary key,
        disabled_at bigint not null,
        disabled_by text not null,
        reason text not null
      );
    `,
  },
  {
    number: 2,
    name: 'sessions that are to be killed',
    sql: 'alter table sluice.sessions add column killed_by text, add column killed_at bigint;',
  },
  {
    number: 3,
    name: 'what connectors hold targets to',
    sql: `
      create table sluice.pins (
        target text not null,
        name text not null,
        body text not null,
        pinned_at bigint not null,
        primary key (target, name)
      );
    `,
  },
];
