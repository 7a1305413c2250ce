import type { AccessRequest } from '@sluice/api/schema/access-request.ts';
import type { Paint, Paints } from '../terminal/output.ts';
import { fields } from '../terminal/table.ts';
import { span } from '../terminal/time.ts';
import { visible, visibleLines } from '../terminal/visible.ts';

export function statePaint(paints: Paints, state: AccessRequest['state']): Paint {
  if (state === 'pending') return paints.yellow;
  if (state === 'approved' || state === 'used') return paints.green;
  return state === 'denied' || state === 'revoked' ? paints.red : paints.dim;
}

/**
 * All of a request for the person who answers it: nothing shortened, nothing able to pass for another line. Text of the
 * requester's own is always behind a bar, so that it cannot imitate what the gateway says.
 */
export function requestLines(request: AccessRequest, paints: Paints, now: number): string[] {
  const { dim, bold } = paints;
  const pairs: [string, string][] = [
    ['request', visible(request.id)],
    ['state', statePaint(paints, request.state)(request.state)],
    [
      'requester',
      `${request.requester.kind} ${visible(request.requester.display_name)} (${visible(request.requester.id)})`,
    ],
  ];
  if (request.owner) pairs.push(['on behalf of', `${request.owner.kind} ${visible(request.owner.id)}`]);
  const others = request.behind.filter((id) => id !== request.requester.id && id !== request.owner?.id);
  if (others.length > 0) pairs.push(['acting through', others.map(visible).join(', ')]);
  pairs.push(
    ['target', visible(request.target)],
    ['session', visible(request.session)],
    ['needs', request.consents.map(consentText).join('; ')],
    ['asked', `${visible(request.created_at)} (${span(now - Date.parse(request.created_at))} ago)`],
    [request.state === 'approved' ? 'grant lapses' : 'times out', visible(request.expires_at)],
    ['digest', visible(request.digest)],
    ['policy set', visible(request.policy_hash)],
  );
  if (request.labels.length > 0) pairs.push(['labels', request.labels.map(visible).join(', ')]);
  const lines = fields(pairs, dim);
  for (const reason of request.reasons) lines.push(...barred('reason', reason, dim));

  lines.push('', bold('What will run'));
  for (const action of request.actions) {
    lines.push(`${visible(action.verb)} (${visible(action.access)}) on ${action.resources.map(visible).join(', ')}`);
    lines.push(...bars(action.text, dim));
  }
  request.parameters.forEach((value, index) => {
    lines.push(`${dim(`parameter $${index + 1}`)}${value === null ? '  NULL' : ''}`);
    if (value !== null) lines.push(...bars(value, dim));
  });
  const binding = Object.entries(request.binding);
  if (binding.length > 0) {
    lines.push('', bold('With this session state'));
    lines.push(
      ...fields(
        binding.map(([name, value]) => [visible(name), visible(value)]),
        dim,
      ),
    );
  }
  if (request.run) {
    lines.push('', bold('What the requester claims (proven by nothing)'));
    for (const [name, value] of Object.entries(request.run)) if (value) lines.push(...barred(name, value, dim));
  }
  if (request.approvals.length > 0) {
    lines.push('', bold('Answers so far'));
    for (const approval of request.approvals) {
      const who = `${visible(approval.reviewer.display_name)} (${visible(approval.reviewer.id)})`;
      lines.push(
        `${approval.answer} by ${who} for ${approval.groups.map(visible).join(', ')} at ${visible(approval.at)}`,
      );
      if (approval.comment !== undefined) lines.push(...bars(approval.comment, dim));
    }
  }
  if (request.may_review) {
    lines.push(
      '',
      `Answer with: sluice requests approve ${visible(request.id)}   or   sluice requests deny ${visible(request.id)}`,
    );
  }
  return lines;
}

function consentText(consent: AccessRequest['consents'][number]): string {
  const people = consent.quorum === 1 ? 'one person' : `${consent.quorum} people`;
  const of = consent.group === 'owner' ? "the agent's owner" : `${people} of ${visible(consent.group)}`;
  return `${of} (policy ${visible(consent.policy)})`;
}

function barred(name: string, text: string, dim: Paint): string[] {
  return [dim(visible(name)), ...bars(text, dim)];
}

function bars(text: string, dim: Paint): string[] {
  return visibleLines(text).map((line) => `${dim('  │')} ${line}`);
}
