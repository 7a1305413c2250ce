import { z } from 'zod';
import { Cursor, Flag, Limit, pageOf, TargetName, Time } from './basics.ts';
import { NamedPrincipal } from './principal.ts';

export const Session = z.object({
  id: z.string(),
  principal: NamedPrincipal,
  target: z.string(),
  connector: z.string().meta({ description: 'Id of the connector that serves or served it' }),
  client: z.object({ address: z.string(), secure: z.boolean(), application: z.string().optional() }),
  started_at: Time,
  ended_at: Time.optional(),
  end_reason: z.string().optional(),
  live: z.boolean(),
  counts: z.record(z.string(), z.number()).optional(),
});
export type Session = z.output<typeof Session>;

export const SessionQuery = z.strictObject({
  target: TargetName.optional(),
  principal: z.string().min(1).max(1024).optional().meta({ description: "A principal's id" }),
  live: Flag,
  limit: Limit,
  before: Cursor,
});

export const SessionPage = pageOf(Session);
export type SessionPage = z.output<typeof SessionPage>;

/** Events keep the form of the recording's own JSON Lines. */
export const RecordedEvent = z.record(z.string(), z.unknown());
export type RecordedEvent = z.output<typeof RecordedEvent>;

export const SessionEventQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,12}$/, 'must be the `next` of an earlier answer')
    .transform(Number)
    .optional()
    .meta({ description: 'The `next` of an earlier answer' }),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, 'must be a number from 1 to 1000')
    .transform(Number)
    .refine((value) => value <= 1000, 'must be a number from 1 to 1000')
    .optional()
    .meta({ description: 'At most this many events: 1 to 1000, 200 when absent' }),
});

export const SessionEventPage = z.object({
  items: z.array(RecordedEvent),
  next: z.string().optional().meta({ description: 'Give it as `after` for the following page; absent at the end' }),
});
export type SessionEventPage = z.output<typeof SessionEventPage>;

export const KilledSession = z.object({ id: z.string(), killed: z.literal(true) });
export type KilledSession = z.output<typeof KilledSession>;
