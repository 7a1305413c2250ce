import type { HoldNotice } from '@sluice/core/contract/session.ts';
import type { Problem } from '../protocol/messages.ts';

/** What a waiting client is told: for people in the message, for programs as one line of JSON in the detail. */
export function holdNotice(notice: HoldNotice): Problem {
  const who = notice.groups.join(' and ');
  return {
    severity: 'NOTICE',
    code: '00000',
    message: `Held: ${notice.reason.replace(/\.$/, '')}. Waiting for consent by ${who} (access request ${notice.request}).`,
    detail: JSON.stringify({ decision: 'hold', request: notice.request, url: notice.url }),
    hint: `A reviewer runs: sluice requests approve ${notice.request}`,
  };
}
