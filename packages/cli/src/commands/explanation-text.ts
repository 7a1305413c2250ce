import type { DryRunResult } from '@sluice/api/schema/policy.ts';
import type { Paints } from '../terminal/output.ts';
import { fields } from '../terminal/table.ts';
import { span } from '../terminal/time.ts';
import { visible } from '../terminal/visible.ts';

/** A dry run for people: the decision first, then each action with the policies behind it. */
export function explanationLines(result: DryRunResult, paints: Paints): string[] {
  const { bold, dim } = paints;
  const { decision } = result;
  const effect = { allow: paints.green, deny: paints.red, hold: paints.yellow }[decision.effect](decision.effect);
  const pairs: [string, string][] = [
    ['decision', effect],
    ['principal', `${result.principal.kind} ${visible(result.principal.id)}`],
    ['target', visible(result.target)],
    ['policies', decision.policies.map(visible).join(', ') || 'none: what nothing permits is denied'],
    ['policy set', visible(decision.policy_hash)],
  ];
  if (decision.hold) {
    const { consents, timeout_ms, grant_ttl_ms } = decision.hold;
    pairs.push(['needs', consents.map((one) => `${one.quorum} of ${visible(one.group)}`).join(' and ')]);
    pairs.push(['waits', `${span(timeout_ms)}; an approval is good for ${span(grant_ttl_ms)}`]);
  }
  if (result.labels.length > 0) pairs.push(['labels', result.labels.map(visible).join(', ')]);
  if (result.masked.length > 0) pairs.push(['masked', result.masked.map(visible).join(', ')]);
  for (const one of decision.obligations) pairs.push(['obligation', visible(JSON.stringify(one))]);
  for (const one of decision.dry_run) pairs.push(['dry run', `${visible(one.policy)} would ${one.effect}`]);
  const lines = fields(pairs, dim);
  for (const reason of decision.reasons)
    lines.push(`${dim('reason')}  ${visible(reason.text)} ${dim(`(${visible(reason.policy)})`)}`);

  for (const action of result.actions) {
    lines.push(
      '',
      bold(`${visible(action.verb)} (${visible(action.access)}) on ${action.resources.map(visible).join(', ')}`),
    );
    for (const resource of listOf(action.explanation['resources'])) lines.push(...resourceLines(resource, paints));
    const fault = action.explanation['fault'];
    if (typeof fault === 'string') lines.push(paints.red(visible(fault)));
  }
  return lines;
}

type Json = Readonly<Record<string, unknown>>;

function resourceLines(resource: Json, { dim, red }: Paints): string[] {
  const lines = [`  ${textOf(resource['type'])} ${textOf(resource['id'])}: ${textOf(resource['effect'])}`];
  for (const note of listOf(resource['applied'])) {
    const role = note['determining'] === true ? 'decided' : 'applies';
    const status = note['status'] === 'dry_run' ? ', dry run' : '';
    lines.push(`    ${role}: ${textOf(note['effect'])} ${textOf(note['policy'])}${status} ${dim(placeOf(note))}`);
  }
  for (const failed of listOf(resource['failed'])) {
    lines.push(red(`    failed: ${textOf(failed['policy'])}: ${textOf(failed['message'])}`));
  }
  for (const near of listOf(resource['nearly'])) {
    const wants = Array.isArray(near['wants']) ? near['wants'].map(textOf).join(' or ') : '';
    lines.push(
      `    nearly: ${textOf(near['effect'])} ${textOf(near['policy'])}, but its ${textOf(near['part'])} wants ${wants}`,
    );
  }
  return lines;
}

function placeOf(note: Json): string {
  const line = note['line'];
  return note['path'] === undefined ? '' : `${textOf(note['path'])}${typeof line === 'number' ? `:${line}` : ''}`;
}

function textOf(value: unknown): string {
  return visible(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
}
