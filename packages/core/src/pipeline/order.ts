/**
 * THE ORDER: what happens to every unit between the client and the target, as one table. Each step may only make a
 * judgement stricter. After the last one the judgement is written to the recording, and only an allow gets a permit.
 * Nothing else in the project decides anything.
 */
import type { ObligationKind } from '../domain/decision.ts';
import type { Unit } from '../domain/unit.ts';
import { mayHoldMask } from '../masking/sentinel.ts';
import { addDecision, type Judgement, refuse } from './judgement.ts';

export interface OrderPorts {
  isMasked(text: string): boolean;
  discharges(connector: string): readonly ObligationKind[];
}

export interface Step {
  readonly name: string;
  readonly run: (judgement: Judgement, ports: OrderPorts) => void;
}

export const order: readonly Step[] = [
  { name: 'policy judges every action', run: judgeActions },
  { name: 'a masked value may not be written back', run: refuseWriteBack },
  { name: 'labels the principal may not see are masked', run: maskLabels },
  { name: 'a masked value may not be found out by other means', run: refuseExposure },
  { name: 'what must be done can be done', run: refuseUndischargeable },
];

const utf8 = new TextDecoder();
/** At least as many bytes as the longest of what `mayHoldMask` looks for. */
const longestSign = 16;

function judgeActions(judgement: Judgement): void {
  const { session, unit, snapshot, facts } = judgement;
  for (const action of unit.actions) {
    const question = { principal: session.principal, target: session.target, action, facts };
    const decision = snapshot.decide(question);
    judgement.decisions.push(decision);
    addDecision(judgement, decision);
    if (decision.effect === 'deny' && decision.policies.length === 0) judgement.unpermitted ??= question;
    for (const obligation of decision.obligations) judgement.obligations.push(obligation);
  }
}

function refuseWriteBack(judgement: Judgement, ports: OrderPorts): void {
  const { unit } = judgement;
  if (
    judgement.effect === 'deny' ||
    !unit.actions.some((action) => action.access !== 'read' && action.access !== 'connect')
  )
    return;
  const texts = unit.content
    ? textsOf(unit.content)
    : [...new Set(unit.actions.map((action) => action.text)), ...unit.parameters];
  if (!texts.some((text) => text !== null && ports.isMasked(text))) return;
  refuse(
    judgement,
    'sluice:write-back',
    'It contains a masked value, which would overwrite the real one with its mask.',
    'Leave masked columns out of what you write, or write a value you know.',
  );
}

/** None where no mask can be in it: most content is not worth making a text of, and much of it is none. */
function textsOf({ before, data }: NonNullable<Unit['content']>): readonly string[] {
  const seam = new Uint8Array(before.length + Math.min(data.length, longestSign));
  seam.set(before);
  seam.set(data.subarray(0, longestSign), before.length);
  return mayHoldMask(data) || mayHoldMask(seam) ? [utf8.decode(before) + utf8.decode(data)] : [];
}

function maskLabels(judgement: Judgement): void {
  const { session, unit, snapshot, facts } = judgement;
  if (unit.labels.length === 0) return;
  const hidden = unit.labels.filter((label) => !snapshot.reveals(session.principal, session.target, label, facts));
  if (hidden.length === 0) return;
  judgement.masked = new Set(hidden);
  judgement.obligations.push({ kind: 'mask', labels: hidden });
}

function refuseExposure(judgement: Judgement): void {
  if (judgement.effect === 'deny') return;
  const { session, unit, snapshot, facts } = judgement;
  for (const exposure of unit.exposures) {
    const hidden = exposure.labels.filter(
      (label) => judgement.masked.has(label) || !snapshot.reveals(session.principal, session.target, label, facts),
    );
    if (hidden.length === 0) continue;
    refuse(
      judgement,
      'sluice:exposure',
      `${exposure.reason} (${hidden.join(', ')})`,
      'Compare masked data only for equality with a value you already know, or ask for the right to reveal it.',
    );
  }
}

function refuseUndischargeable(judgement: Judgement, ports: OrderPorts): void {
  if (judgement.effect === 'deny' || judgement.obligations.length === 0) return;
  const able = ports.discharges(judgement.session.target.connector);
  const unable = judgement.obligations.filter((obligation) => !able.includes(obligation.kind));
  if (unable.length === 0) return;
  refuse(
    judgement,
    'sluice:obligation',
    `Policy allows it only with ${[...new Set(unable.map((obligation) => obligation.kind))].join(', ')}, which this kind of target cannot do.`,
    'Ask the operator to change the policy.',
  );
}
