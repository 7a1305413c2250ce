import type { AccessRequest, AccessRequestState } from '@sluice/core/domain/access-request.ts';
import type { Principal, PrincipalKind } from '@sluice/core/domain/principal.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { ColumnType, Generated } from 'kysely';

/** Read as a value, written as its JSON text: a JavaScript array would otherwise be sent as an SQL array. */
type Json<T> = ColumnType<T, string, string>;

/** Times are Unix milliseconds in `bigint` columns, read as numbers. */
export interface Tables {
  access_requests: {
    id: string;
    state: AccessRequestState;
    requester_id: string;
    session_id: string;
    run_id: string | null;
    target: string;
    digest: string;
    /** Hash of the set of consents: equal for equal sets. */
    consents_key: string;
    created_at: number;
    expires_at: number;
    settled_at: number | null;
    /** The whole request; the columns beside it are what is searched and compared. */
    body: Json<AccessRequest>;
  };
  access_credentials: {
    id: string;
    salt: Buffer;
    iterations: number;
    stored_key: Buffer;
    server_key: Buffer;
    principal_id: string;
    principal: Json<Principal>;
    target: string;
    created_at: number;
    expires_at: number;
    uses_left: number | null;
    revoked_at: number | null;
  };
  sessions: {
    id: string;
    gateway: string;
    principal_id: string;
    principal: Json<Principal>;
    target: string;
    connector: string;
    tags: Json<readonly string[]>;
    client: Json<ClientInfo>;
    recording_path: string;
    started_at: number;
    ended_at: number | null;
    end_reason: string | null;
    counts: Json<Readonly<Record<string, number>>> | null;
    killed_by: string | null;
    killed_at: number | null;
  };
  principals: {
    id: string;
    kind: PrincipalKind;
    display_name: string;
    groups: Json<readonly string[]>;
    owner_id: string | null;
    last_seen: number;
  };
  disabled_principals: {
    id: string;
    disabled_at: number;
    disabled_by: string;
    reason: string;
  };
  pins: {
    target: string;
    name: string;
    body: string;
    pinned_at: number;
  };
  migrations: {
    number: number;
    name: string;
    applied_at: Generated<Date>;
  };
}
