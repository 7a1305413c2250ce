import type { Session } from '@sluice/api/schema/session.ts';
import type { SessionRecord } from '../services.ts';
import { refView } from './principal.ts';
import { time } from './time.ts';

export function sessionView(record: SessionRecord): Session {
  return {
    id: record.id,
    principal: { ...refView(record.principal), display_name: record.principal.displayName },
    target: record.target,
    connector: record.connector,
    client: {
      address: record.client.address,
      secure: record.client.secure,
      ...(record.client.application === undefined ? {} : { application: record.client.application }),
    },
    started_at: time(record.startedAt),
    ...(record.endedAt === undefined ? {} : { ended_at: time(record.endedAt) }),
    ...(record.endReason === undefined ? {} : { end_reason: record.endReason }),
    live: record.live,
    ...(record.counts ? { counts: { ...record.counts } } : {}),
  };
}
