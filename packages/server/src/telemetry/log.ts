/**
 * What operators see of a running gateway: its log, its metrics, its clock. For finding out what is wrong and how much
 * is going on; it is not evidence. What happened in a session is in its recording, facts about the gateway itself in the
 * journal, and neither needs anything from here.
 */
import type { Log } from '@sluice/core/contract/connector.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { destination, pino } from 'pino';

/**
 * JSON lines on standard error (or in `file`), one event each, and `always` in all of them. Secrets are typed so that
 * they print as `[redacted]`.
 */
export function createLog(level: string, file?: string, always: object | null = null): Log {
  const options = {
    level,
    base: always,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: shown, error: shown },
  };
  const out = destination({ dest: file ?? 2, sync: true });
  return pino(options, { write: (line: string) => out.write(visible(line)) });
}

/**
 * JSON leaves the characters alone that turn the direction of text, end lines elsewhere or steer old terminals. In a
 * line of it they occur within strings only, where an escape means the same.
 */
function visible(line: string): string {
  return line.replace(unseen, (found) => {
    let escaped = '';
    for (let at = 0; at < found.length; at++) escaped += `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return escaped;
  });
}

const unseen = /[\u007f-\u009f\u2028\u2029\p{Cf}\p{Cs}]/gu;

/** An error without its stack where it is an expected one. */
function shown(error: unknown): unknown {
  if (error instanceof SluiceError) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    return { code: error.code, source: error.source, message: error.message, ...(cause ? { cause } : {}) };
  }
  return error instanceof Error ? { message: error.message, stack: error.stack } : error;
}
