import type { TextMaskers } from '@sluice/core/contract/labels.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { Notification } from '../jsonrpc/message.ts';

const longestLogger = 256;

/**
 * A notification of a target as a client may be told of it: one that is known, with the members that are known, masked.
 * Undefined for any other.
 */
export function relayed({ method, params }: Notification, texts: TextMaskers): Notification | undefined {
  const shown = readers.get(method)?.(params, texts);
  return shown && { kind: 'notification', method, params: shown };
}

type Reader = (params: JsonObject, texts: TextMaskers) => JsonObject | undefined;

const nothing: Reader = () => ({});

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['notifications/tools/list_changed', nothing],
  ['notifications/resources/list_changed', nothing],
  ['notifications/prompts/list_changed', nothing],
  ['notifications/resources/updated', ({ uri }) => (typeof uri === 'string' ? { uri } : undefined)],
  [
    'notifications/message',
    ({ level, logger, data = null }, texts) => {
      if (typeof level !== 'string' || !/^[a-z]{1,16}$/.test(level)) return undefined;
      const from: Record<string, Json> =
        typeof logger === 'string' ? { logger: texts.text(logger.slice(0, longestLogger)).value } : {};
      return { level, ...from, data: texts.json(data, () => []).value };
    },
  ],
  [
    'notifications/progress',
    ({ progressToken, progress, total, message }, texts) => {
      if (typeof progress !== 'number' || (typeof progressToken !== 'number' && typeof progressToken !== 'string')) {
        return undefined;
      }
      return {
        progressToken,
        progress,
        ...(typeof total === 'number' ? { total } : {}),
        ...(typeof message === 'string' ? { message: texts.text(message).value } : {}),
      };
    },
  ],
]);
