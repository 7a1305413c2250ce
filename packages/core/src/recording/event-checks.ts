import { type Check, count, either, flag, list, number, oneOf, orNull, record, shape, text } from './check.ts';
import type { EventTypeName } from './format.ts';

const principalRef = shape({ kind: oneOf('user', 'agent', 'service'), id: text });

const run = shape({ 'run?': text, 'step?': text, 'toolCall?': text, 'intent?': text, 'traceparent?': text });

const access = oneOf('connect', 'read', 'write', 'admin', 'execute');

const effect = oneOf('allow', 'deny', 'hold');

const obligation = either(
  shape({ kind: oneOf('mask'), labels: list(text) }),
  shape({ kind: oneOf('limit_rows'), rows: number }),
  shape({ kind: oneOf('read_only') }),
  shape({ kind: oneOf('notify'), channel: text }),
);

/** Shape of the JSON body of every event type that has one. */
export const eventChecks: Readonly<Partial<Record<EventTypeName, Check>>> = {
  header: shape({
    version: count,
    session: text,
    principal: shape({
      kind: oneOf('user', 'agent', 'service'),
      id: text,
      issuer: text,
      subject: text,
      displayName: text,
      groups: list(text),
      'owner?': principalRef,
      chain: list(principalRef),
    }),
    target: shape({ name: text, connector: text, tags: list(text) }),
    client: shape({ address: text, secure: flag, 'application?': text }),
    startedAt: number,
    policyHash: text,
  }),
  action: shape({
    unit: count,
    name: text,
    text: list(text),
    actions: list(shape({ verb: text, access, resources: list(text) })),
    parameters: list(orNull(text)),
    effect,
    policies: list(text),
    reasons: list(shape({ policy: text, text })),
    obligations: list(obligation),
    dryRun: list(shape({ policy: text, effect })),
    policyHash: text,
    labels: list(text),
    'run?': run,
    'continues?': count,
    'request?': text,
    'spent?': shape({ 'parse?': number, decide: number }),
  }),
  approval: shape({
    unit: count,
    request: text,
    state: text,
    digest: text,
    reviewers: list(principalRef),
    'comment?': text,
  }),
  shape: shape({
    unit: count,
    columns: list(shape({ name: text, type: text, format: oneOf('text', 'binary'), 'masked?': list(text) })),
  }),
  capped: shape({ afterRows: count, afterBytes: count, 'unit?': count, 'stream?': text }),
  complete: shape({
    unit: count,
    tag: text,
    rows: count,
    bytes: count,
    digest: text,
    'streams?': list(shape({ stream: text, bytes: count, digest: text })),
    'unfinished?': flag,
    'masking?': number,
  }),
  notice: shape({ 'unit?': count, severity: text, code: text, message: text }),
  error: shape({ 'unit?': count, code: text, message: text, source: text }),
  resize: shape({ unit: count, columns: count, rows: count }),
  event: shape({ name: text, detail: record(either(text, number, flag)) }),
  end: shape({
    reason: text,
    'error?': text,
    lost: count,
    'counts?': shape({
      units: count,
      allowed: count,
      denied: count,
      held: count,
      rows: count,
      rowBytes: count,
      outputBytes: count,
    }),
  }),
};
