/**
 * What operators see of a running gateway: its log, its metrics, its clock. For finding out what is wrong and how much
 * is going on; it is not evidence. What happened in a session is in its recording, facts about the gateway itself in the
 * journal, and neither needs anything from here.
 */
import type { Log } from '@sluice/core/contract/connector.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { destination, pino } from 'pino';

/** JSON lines on standard error (or in `file`), one event each. Secrets are typed so that they print as `[redacted]`. */
export function createLog(level: string, file?: string): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: shown, error: shown },
  };
  return pino(options, destination({ dest: file ?? 2, sync: true }));
}

/** An error without its stack where it is an expected one. */
function shown(error: unknown): unknown {
  if (error instanceof SluiceError) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    return { code: error.code, source: error.source, message: error.message, ...(cause ? { cause } : {}) };
  }
  return error instanceof Error ? { message: error.message, stack: error.stack } : error;
}
