import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { SessionFacts } from '@sluice/core/contract/policy.ts';
import type { Target } from '@sluice/core/domain/target.ts';

/** What the facts of a session consist of; `target` is the question's own. */
export type FactsPart = 'target' | 'client' | 'run' | 'labelsSeen' | 'now';

/** An attribute that every action's context has, whatever its verb: what the session knows. */
export interface SessionAttribute {
  readonly name: string;
  /** Type as Cedar names it. */
  readonly type: 'Bool' | 'Long' | 'String' | 'Set<String>' | 'ipaddr' | 'datetime' | 'Target';
  readonly optional?: true;
  /** Set for what the client says about itself and nobody checked. */
  readonly claim?: true;
  /** Which of the facts it is read from: the very same object of these gives the same value. */
  readonly from: FactsPart;
  /** Set where two moments practically never give the same value, so that a decision which reads it can't be kept. */
  readonly fleeting?: true;
  readonly doc: string;
  /** In Cedar's JSON form; undefined only for an optional one. */
  value(target: Target, facts: SessionFacts): CedarValueJson | undefined;
}

export const sessionAttributes: readonly SessionAttribute[] = [
  {
    name: 'target',
    from: 'target',
    type: 'Target',
    doc: 'The target of the session, with its tags.',
    value: (target) => ({ __entity: { type: 'Target', id: target.name } }),
  },
  {
    name: 'client_address',
    from: 'client',
    type: 'ipaddr',
    optional: true,
    doc: "The client's network address; absent when it has none that can be read: ask `context has client_address` first.",
    value: (_, { client }) => {
      const address = ipAddress(client.address);
      return address === undefined ? undefined : { __extn: { fn: 'ip', arg: address } };
    },
  },
  {
    name: 'secure',
    from: 'client',
    type: 'Bool',
    doc: 'Whether the client came over TLS.',
    value: (_, { client }) => client.secure,
  },
  {
    name: 'application',
    from: 'client',
    type: 'String',
    claim: true,
    doc: 'What the client calls itself; empty when it says nothing.',
    value: (_, { client }) => client.application ?? '',
  },
  {
    name: 'run',
    from: 'run',
    type: 'String',
    claim: true,
    doc: "Id of the agent's run; empty when the client says nothing.",
    value: (_, { run }) => run?.run ?? '',
  },
  {
    name: 'intent',
    from: 'run',
    type: 'String',
    claim: true,
    doc: 'What the client says it wants; empty when it says nothing.',
    value: (_, { run }) => run?.intent ?? '',
  },
  {
    name: 'labels_seen',
    from: 'labelsSeen',
    type: 'Set<String>',
    doc: 'Labels of data that this session was already shown in clear.',
    value: (_, { labelsSeen }) => [...labelsSeen],
  },
  {
    name: 'hour',
    from: 'now',
    type: 'Long',
    doc: 'Hour of the day in UTC, 0 to 23.',
    value: (_, { now }) => new Date(now).getUTCHours(),
  },
  {
    name: 'weekday',
    from: 'now',
    type: 'Long',
    doc: 'Day of the week in UTC, 1 (Monday) to 7 (Sunday).',
    value: (_, { now }) => new Date(now).getUTCDay() || 7,
  },
  {
    name: 'time',
    from: 'now',
    type: 'Long',
    fleeting: true,
    doc: 'Unix time in milliseconds.',
    value: (_, { now }) => now,
  },
  {
    name: 'now',
    from: 'now',
    type: 'datetime',
    fleeting: true,
    doc: 'The same moment as a `datetime`.',
    value: (_, { now }) => ({ __extn: { fn: 'datetime', arg: new Date(now).toISOString() } }),
  },
];

/** The values of all session attributes, in Cedar's JSON form. */
export function sessionContext(target: Target, facts: SessionFacts): Record<string, CedarValueJson> {
  const context: Record<string, CedarValueJson> = {};
  for (const attribute of sessionAttributes) {
    const value = attribute.value(target, facts);
    if (value !== undefined) context[attribute.name] = value;
  }
  return context;
}

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const mapped = /^(?:::|(?:0{1,4}:){5})ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const mappedHex = /^(?:::|(?:0{1,4}:){5})ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/**
 * The bare address in `host:port`, `[host]:port` or `host`; undefined when there is none. An IPv4 client of a listener
 * that serves both families shows up as `::ffff:10.0.0.1` (RFC 4291 section 2.5.5.2): policies must see the IPv4
 * address, or a range in a forbid would miss it.
 */
export function ipAddress(remote: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(remote)?.[1];
  const withPort = /^([^:]+):\d+$/.exec(remote)?.[1];
  const host = (bracketed ?? withPort ?? remote).replace(/%.*$/, '');
  const inner = mapped.exec(host)?.[1] ?? fromHex(mappedHex.exec(host));
  if (inner !== undefined) return ipAddress(inner);
  if (host.includes(':')) return isIpv6(host) ? host : undefined;
  return ipv4.test(host) ? host : undefined;
}

function fromHex(match: RegExpExecArray | null): string | undefined {
  const [high, low] = [match?.[1], match?.[2]];
  if (high === undefined || low === undefined) return undefined;
  const words = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return words.flatMap((word) => [word >> 8, word & 255]).join('.');
}

/** RFC 4291 section 2.2, forms 1 and 2; what has an embedded IPv4 address other than a mapped one is not accepted. */
function isIpv6(host: string): boolean {
  const halves = host.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const enough = halves.length === 2 ? groups.length <= 7 : groups.length === 8;
  return enough && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}
