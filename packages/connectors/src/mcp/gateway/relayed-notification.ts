import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { Notification } from '../jsonrpc/message.ts';

/** What masks it. */
export interface Shown {
  text(text: string): string;
  document(value: Json): Json;
}

const longestLogger = 256;

/**
 * A notification of a target as a client may be told of it: one that is known, with the members that are known, masked.
 * Undefined for any other.
 */
export function relayed({ method, params }: Notification, shown: Shown): Notification | undefined {
  const known = readers.get(method)?.(params, shown);
  return known && { kind: 'notification', method, params: known };
}

type Reader = (params: JsonObject, shown: Shown) => JsonObject | undefined;

const nothing: Reader = () => ({});

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['notifications/tools/list_changed', nothing],
  ['notifications/resources/list_changed', nothing],
  ['notifications/prompts/list_changed', nothing],
  ['notifications/resources/updated', ({ uri }) => (typeof uri === 'string' ? { uri } : undefined)],
  [
    'notifications/message',
    ({ level, logger, data = null }, shown) => {
      if (typeof level !== 'string' || !/^[a-z]{1,16}$/.test(level)) return undefined;
      const from: Record<string, Json> =
        typeof logger === 'string' ? { logger: shown.text(logger.slice(0, longestLogger)) } : {};
      return { level, ...from, data: typeof data === 'string' ? shown.text(data) : shown.document(data) };
    },
  ],
  [
    'notifications/progress',
    ({ progressToken, progress, total, message }, shown) => {
      if (typeof progress !== 'number' || (typeof progressToken !== 'number' && typeof progressToken !== 'string')) {
        return undefined;
      }
      return {
        progressToken,
        progress,
        ...(typeof total === 'number' ? { total } : {}),
        ...(typeof message === 'string' ? { message: shown.text(message) } : {}),
      };
    },
  ],
]);
