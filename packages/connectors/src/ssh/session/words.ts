/** The connector's one place where a refusal becomes SSH's own: lines on standard error and an exit status. */
import { Buffer } from 'node:buffer';
import { type Denial, DeniedError, type HoldNotice } from '@sluice/core/contract/session.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';

/** What a client gets to see, and the status that its program ends with. */
export interface Told {
  readonly text: string;
  readonly status: number;
}

/** Exit statuses: a shell's "found but cannot be run", sysexits' EX_TEMPFAIL, and what `ssh` itself fails with. */
export const status = { refused: 126, later: 75, failed: 255 } as const;

export function toldDenial(denial: Denial): Told {
  const { decision, reason, policies, hint } = denial;
  const by = policies.length > 0 ? ` by policy ${policies.join(', ')}` : '';
  const head = decision === 'deny' ? `denied${by}` : 'waiting for consent';
  const detail = JSON.stringify({
    decision,
    policies,
    request: denial.request ?? null,
    url: denial.url ?? null,
  });
  return {
    text: lines(`${head}: ${reason}`, ...(denial.url ? [denial.url] : []), hint, detail),
    status: decision === 'deny' ? status.refused : status.later,
  };
}

export function toldHold(notice: HoldNotice): string {
  return lines(
    `waiting for consent by ${notice.groups.join(' and ')}: ${notice.reason}`,
    `access request ${notice.request}: ${notice.url}`,
  );
}

export function told(error: unknown): Told {
  if (error instanceof DeniedError) return toldDenial(error.denial);
  if (error instanceof CoreError) return { text: lines(error.publicMessage), status: status.failed };
  // What has no meaning the gateway knows was not run, like what policy refuses.
  if (error instanceof SluiceError) {
    const { hint } = error as { hint?: unknown };
    return {
      text: lines(error.publicMessage, ...(typeof hint === 'string' && hint !== '' ? [hint] : [])),
      status: status.refused,
    };
  }
  return { text: lines('The gateway met an internal error; its log says more.'), status: status.failed };
}

/** One line for where there is no standard error: the description of a disconnect or of a refused channel. */
export function oneLine(error: unknown): string {
  if (error instanceof DeniedError) {
    const { decision, reason, policies, hint, request } = error.denial;
    const by = policies.length > 0 ? ` by policy ${policies.join(', ')}` : '';
    const head = decision === 'deny' ? `denied${by}` : 'waiting for consent';
    return plain(`sluice: ${head}: ${reason}${request && !reason.includes(request) ? ` (${request})` : ''} ${hint}`);
  }
  if (error instanceof SluiceError) return plain(`sluice: ${error.publicMessage}`);
  return 'sluice: The gateway met an internal error; its log says more.';
}

export function lines(...texts: readonly string[]): string {
  return texts.map((text) => `sluice: ${plain(text)}\n`).join('');
}

/** As bytes for the client; a terminal in raw mode needs the carriage return, too. */
export function shown(text: string, terminal: boolean): Buffer {
  return Buffer.from(terminal ? text.replaceAll('\n', '\r\n') : text);
}

/** Nothing that steers a terminal: reasons come from policies, reviewers and what the client itself sent. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
}
