/**
 * What the API takes and gives, one file per kind of object: schemas in the words of the wire (snake case, times as
 * RFC 3339 text), from which types, validation and the OpenAPI document come. They check form; whether something makes
 * sense, or is allowed, is not theirs to say. In this file: the pieces that the others are made of.
 */
import { z } from 'zod';
import { durationPattern } from '../duration.ts';

/** RFC 3339 in UTC, with milliseconds. */
export const Time = z.iso
  .datetime()
  .meta({ description: 'RFC 3339 time in UTC', examples: ['2026-01-31T12:00:00.000Z'] });

export const Duration = z
  .string()
  .regex(durationPattern, 'must be a number and a unit, like 90s, 15m, 8h or 1d')
  .meta({ description: 'A number and a unit: s, m, h or d', examples: ['15m'] });

/** Ids are made by the gateway; whatever does not look like one names nothing. */
export const idPattern = /^[A-Za-z0-9_-]{1,128}$/;

export const IdParams = z.strictObject({ id: z.string().regex(idPattern) });

export const TargetName = z.string().min(1).max(255).meta({ description: 'Name of a configured target' });

/** Query parameters arrive as text. */
export const Limit = z
  .string()
  .regex(/^[1-9][0-9]{0,2}$/, 'must be a number from 1 to 200')
  .transform(Number)
  .refine((value) => value <= 200, 'must be a number from 1 to 200')
  .optional()
  .meta({ description: 'At most this many items: 1 to 200, 50 when absent' });

export const Cursor = z
  .string()
  .regex(/^[0-9]{1,16}$/, 'must be the `next` of an earlier answer')
  .transform(Number)
  .optional()
  .meta({ description: 'The `next` of an earlier answer' });

export const Flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional();

/** One page of a list, newest first. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().optional().meta({ description: 'Give it as `before` for the following page; absent at the end' }),
  });
}
