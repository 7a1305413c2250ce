/**
 * What the promises are tested on: one target and one gateway, with a relay before and behind the gateway, and people
 * of every kind that the suite's policies know. It asserts nothing.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '@sluice/api/client.ts';
import type { Session } from '@sluice/api/schema/session.ts';
import { connectors } from '@sluice/connectors/index.ts';
import type { Connector } from '@sluice/core/contract/connector.ts';
import { createLabelMap } from '@sluice/core/masking/label-map.ts';
import { processEnvironment } from '@sluice/server/config/environment.ts';
import { loadConfig } from '@sluice/server/config/load.ts';
import { createSecrets } from '@sluice/server/config/secrets.ts';
import { createUpstreamCredentials } from '@sluice/server/credentials/upstream-credentials.ts';
import { newKey } from '@sluice/server/crypto/connector-keys.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { noOperations } from '@sluice/server/operations/no-operations.ts';
import { memoryPins } from '@sluice/server/store/memory-pins.ts';
import { targetDial } from '@sluice/server/target-dial.ts';
import { systemClock } from '@sluice/server/telemetry/clock.ts';
import { expect } from 'vitest';
import type { TestClaims } from '../harness/issuer.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import type { Adapter, ContractGateway, ContractSession, ContractTarget, Feature, Opened, Proof } from './adapter.ts';
import { createRelay, type Relay } from './relay.ts';

/** Words of the suite's policies, as a client must get to see them. */
export const words = { forbidden: 'This is never done here', held: 'A reviewer looks at this first' };

export type Group = 'workers' | 'parked' | 'resending' | 'waiting' | 'trusted' | 'limited' | 'read-only' | 'notified';

/** A session with somebody in it. */
export interface Actor extends ContractSession {
  readonly sub: string;
  /** Between the client and the gateway. */
  readonly front: Relay;
  /** The session as the gateway lists it. */
  listed(): Promise<Session>;
  /** Its recording, once it is sealed. */
  sealed(): Promise<readonly RecordedEvent[]>;
  /** A camera for its recording: takes what lies on the disk at that moment, to be read later. */
  camera(): Promise<() => () => Promise<readonly RecordedEvent[]>>;
}

export interface Stage {
  readonly adapter: Adapter;
  readonly target: ContractTarget;
  readonly gateway: ContractGateway;
  readonly dir: string;
  /** Between the gateway and the target. */
  readonly upstream: Relay;
  /** Like the gateway's own, to ask what texts mean. */
  readonly connector: Connector;
  readonly operator: ApiClient;
  readonly reviewer: ApiClient;
  readonly policies: string;
  /** What the gateway says to the target by itself: all that it said while no client had asked for anything. */
  readonly own: ReadonlySet<string>;
  tag(): string;
  claims(...groups: readonly Group[]): TestClaims;
  open(...groups: readonly Group[]): Promise<Actor>;
  openAs(claims: TestClaims, options?: { readonly proof?: Proof; readonly pieces?: readonly number[] }): Promise<Actor>;
  tryOpen(proof: Proof, target?: string): Promise<Opened>;
  /** What the target did with this tag in it. */
  executed(tag: string): Promise<readonly string[]>;
  stopGateway(): Promise<void>;
  stop(): Promise<void>;
}

export function policiesFor({ verbs, policies = '' }: Adapter): string {
  const everything = ['connect', 'read', 'write', 'admin', 'execute'].map((name) => `Action::"${name}"`).join(', ');
  const held = `action == Action::"${verbs.held}", resource`;
  const read = `action == Action::"${verbs.read}", resource`;
  return `
@id("contract-connects") permit (principal, action == Action::"connect", resource);
@id("contract-permits") permit (principal in Group::"workers", action in [${everything}], resource);
@id("contract-reveals") permit (principal in Group::"trusted", action == Action::"reveal", resource);
@id("contract-operates")
permit (principal in Group::"operators", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
@id("contract-forbids") @reason("${words.forbidden}")
forbid (principal, action == Action::"${verbs.forbidden}", resource);
@id("contract-parks") @approval("reviewers") @wait("park") @reason("${words.held}")
forbid (principal in Group::"parked", ${held});
@id("contract-asks-back") @approval("reviewers") @wait("resend") @reason("${words.held}")
forbid (principal in Group::"resending", ${held});
@id("contract-admits") @approval("reviewers") @wait("resend") @reason("${words.held}")
forbid (principal in Group::"waiting", action == Action::"connect", resource);
@id("contract-limits") @limit_rows("3") permit (principal in Group::"limited", ${read});
@id("contract-reads-only") @read_only permit (principal in Group::"read-only", ${read});
@id("contract-notifies") @notify("operations") permit (principal in Group::"notified", ${read});
${policies}
`;
}

export async function setStage(adapter: Adapter): Promise<Stage> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await build(adapter, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function build(adapter: Adapter, undo: (() => Promise<unknown>)[]): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  const target = await adapter.startTarget();
  undo.push(() => target.stop());
  const upstream = await createRelay(target.address);
  undo.push(() => upstream.stop());
  const policies = policiesFor(adapter);
  const config = '"limits": {"pre_auth_bytes": "16KiB", "message_bytes": "1MiB", "statement_bytes": "256KiB"}';
  const gateway = await adapter.startGateway({ upstream, target, policies, dataDir: dir, config });
  let stopped: Promise<void> | undefined;
  const stopGateway = (): Promise<void> => {
    stopped ??= gateway.stop();
    return stopped;
  };
  undo.push(stopGateway);
  const connector = connectorLike(adapter, gateway);
  undo.push(() => connector.close());
  const operator = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
  const reviewer = await gateway.apiAs({ sub: 'reviewer', groups: ['reviewers'] });

  let count = 0;
  const claims = (...groups: readonly Group[]): TestClaims => ({ sub: `person-${++count}`, kind: 'agent', groups });
  const token = async (of: TestClaims): Promise<Proof> => ({ kind: 'token', token: await gateway.token(of) });
  const openAs: Stage['openAs'] = async (who, options = {}) => {
    const front = await createRelay(gateway.address);
    undo.push(() => front.stop());
    front.pieces(options.pieces ?? []);
    const opened = await adapter.open(front, options.proof ?? (await token(who)), gateway.targetName);
    if (!opened.open) throw new Error(`no session: ${opened.words.code} ${opened.words.message}`);
    return actor(dir, operator, who.sub, front, opened.session);
  };
  // Twice, because what is known already is looked at in another way.
  for (const _ of [1, 2]) await (await openAs(claims())).close();
  await connector.interpret(gateway.targetName, adapter.asks.read('x').text);
  const own = new Set(await target.executed());
  return {
    own,
    adapter,
    target,
    gateway,
    dir,
    upstream,
    connector,
    operator,
    reviewer,
    policies,
    tag: () => `contract${String(++count).padStart(5, '0')}`,
    claims,
    openAs,
    open: (...groups) => openAs(claims(...groups)),
    tryOpen: (proof, name = gateway.targetName) => adapter.open(gateway.address, proof, name),
    executed: async (tag) => (await target.executed()).filter((text) => text.includes(tag)),
    stopGateway,
    stop: async () => {
      for (const step of undo.reverse()) await step();
    },
  };
}

function connectorLike({ connector: id }: Adapter, gateway: ContractGateway): Connector {
  const config = loadConfig(gateway.configFile, { connectors: knownConnectors });
  const shipped = connectors.find((each) => each.id === id);
  if (!shipped) throw new Error(`there is no connector "${id}"`);
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const credentials = createUpstreamCredentials(config.targets, createSecrets(processEnvironment()));
  const silent = (): void => {};
  return shipped.create({
    targets: config.targets.filter((target) => target.connector === id),
    key: newKey,
    pins: memoryPins(),
    operations: noOperations,
    issuers: [],
    clock: systemClock,
    labels: createLabelMap(config.masking.labels),
    limits: config.limits,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    dialAside: targetDial(targets, credentials),
  });
}

function actor(dir: string, operator: ApiClient, sub: string, front: Relay, session: ContractSession): Actor {
  let known: string | undefined;
  const listed = async (): Promise<Session> => {
    // The list may learn of a session a moment after its client.
    await expect
      .poll(async () => {
        const { items } = known === undefined ? await operator.sessions({ limit: 200 }) : { items: [] };
        known ??= items.find(({ principal }) => principal.id.endsWith(`#${sub}`))?.id;
        return known;
      })
      .toBeDefined();
    return operator.session(known ?? '');
  };
  const file = async (): Promise<string> => {
    const { id } = await listed();
    const path = (await sessionRecordings(dir)).find((each) => each.includes(id));
    if (path === undefined) throw new Error(`no recording of ${id}`);
    return path;
  };
  return {
    sub,
    front,
    listed,
    sealed: async () => {
      await expect.poll(async () => (await listed()).live, { timeout: 10_000 }).toBe(false);
      return recordedEvents(await file());
    },
    camera: async () => {
      const path = await file();
      return () => {
        const copy = join(dir, `${sub}-${crypto.randomUUID()}.copy`);
        copyFileSync(path, copy);
        return () => recordedEvents(copy).finally(() => rmSync(copy));
      };
    },
    send: (...asks) => session.send(...asks),
    answer: () => session.answer(),
    notice: () => session.notice(),
    raw: (bytes) => session.raw(bytes),
    cancel: () => session.cancel(),
    close: () => session.close(),
    drop: () => session.drop(),
    ended: () => session.ended(),
    received: () => session.received(),
  };
}

/** What a test needs of the protocol; the name says why it is skipped where that is missing. */
export function needing(adapter: Adapter, feature: Feature, name: string): { skip: boolean; name: string } {
  const why = adapter.lacks[feature];
  return why === undefined ? { skip: false, name } : { skip: true, name: `${name} (skipped: ${why})` };
}

/** Actions in a recording, beside the opening of the session. */
export function actionsIn(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.filter(({ type, name }) => type === 'action' && name !== 'connect');
}

/** Forms in which a value could be hidden in bytes. */
export function tracesOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const turned = [...value].reverse().join('');
  // Base64 has three alignments; what is cut off at either end depends on the neighbours.
  const base64 = [0, 1, 2].map((skip) => bytes.subarray(skip).toString('base64').replace(/=+$/, '').slice(0, -2));
  return [value, turned, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64];
}

export function tracesIn(text: string, values: readonly string[]): readonly string[] {
  return values.filter((value) => tracesOf(value).some((trace) => text.includes(trace)));
}
