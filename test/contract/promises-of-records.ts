/** Promises about everything that was recorded while the others were tested, and about what the connector declares. */
import { runCommand } from '@sluice/cli/testing/command.ts';
import { connectors } from '@sluice/connectors/index.ts';
import type { ContextType } from '@sluice/core/contract/declarations.ts';
import type { ContextValue } from '@sluice/core/domain/action.ts';
import { expect, test } from 'vitest';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import type { Adapter } from './adapter.ts';
import { actionsIn, type Stage } from './stage.ts';

interface Recorded {
  readonly verb: string;
  readonly access: string;
  readonly resources: readonly string[];
}

/** Runs behind all others, because it looks at what they left behind. */
export function promisesOfRecords(adapter: Adapter, stage: () => Stage): void {
  const { asks, verbs } = adapter;

  test('the list of what ships and the connector declare the same', () => {
    const { connector } = stage();
    const shipped = connectors.find(({ id }) => id === adapter.connector);
    expect(connector.id).toBe(adapter.connector);
    expect(connector.declares).toEqual(shipped?.declares);
    const known = connector.declares.actions.map(({ verb }) => verb);
    expect(known).toEqual(expect.arrayContaining([verbs.read, verbs.forbidden, verbs.held]));
  });

  test('what an ask means has the context that its verbs declare, complete and of the right types', async () => {
    const { connector, gateway } = stage();
    const { actions } = connector.declares;
    const every = [
      asks.read('x'),
      asks.forbidden('x'),
      asks.held('x'),
      asks.failing('x'),
      asks.slow('x'),
      asks.large('x'),
      asks.items(2),
      ...asks.labelled.map(({ ask }) => ask),
    ];
    for (const { text } of every) {
      const unit = await connector.interpret(gateway.targetName, text);
      expect(unit.actions.length, text).toBeGreaterThan(0);
      for (const { verb, access, context, resources } of unit.actions) {
        const declared = actions.find((action) => action.verb === verb);
        expect(declared, verb).toBeDefined();
        expect(declared?.access, verb).toBe(access);
        for (const { type } of resources) expect(declared?.resources, verb).toContain(type);
        const types = Object.entries(context).map(([name, value]) => [name, typeOf(value, declared?.context[name])]);
        expect(Object.fromEntries(types), text).toEqual(declared?.context);
      }
    }
    await expect(connector.interpret(gateway.targetName, '\u0000')).rejects.toMatchObject({
      publicMessage: expect.any(String),
    });
  });

  test('every action in a recording is declared, with its class and its resources', async () => {
    const { actions, resources } = stage().connector.declares;
    const types = new Set(['Target', ...resources.map(({ type }) => type)]);
    let count = 0;
    for (const { events } of await everything()) {
      for (const { verb, access, resources: touched } of actionsIn(events).flatMap(
        (event) => event['actions'] as Recorded[],
      )) {
        count++;
        const declared = actions.find((action) => action.verb === verb);
        expect(declared?.access, verb).toBe(access);
        for (const resource of touched) {
          const [type = ''] = resource.split('::');
          expect(types).toContain(type);
          expect(declared?.resources, verb).toContain(type);
        }
      }
    }
    expect(count).toBeGreaterThan(50);
  });

  test('nothing that the target did is without a decision that allowed it', async () => {
    const { target, own } = stage();
    const allowed = new Set<string>();
    for (const { events } of await everything())
      for (const text of allowedTexts(events, adapter.asExecuted)) allowed.add(text);
    const unexplained = (await target.executed()).filter((text) => !own.has(text) && !allowed.has(text));
    expect([...new Set(unexplained)]).toEqual([]);
  });

  test('the gateway stops natively, and all that it recorded verifies', async () => {
    const { open, stopGateway, gateway, dir } = stage();
    const actor = await open('workers');
    await stopGateway();
    expect((await actor.ended())?.message).toBeTruthy();
    const verified = await runCommand(['audit', 'verify', dir, '--json'], { cwd: dir });
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
    const report = JSON.parse(verified.stdout) as { ok: boolean; files: readonly { standing: string }[] };
    expect(report.ok).toBe(true);
    expect(report.files.length).toBeGreaterThan(50);
    expect(new Set(report.files.map(({ standing }) => standing))).toEqual(new Set(['sealed']));
    await expect(adapter.open(gateway.address, { kind: 'token', token: 'x' }, gateway.targetName)).rejects.toThrow();
  });

  async function everything(): Promise<{ path: string; events: readonly RecordedEvent[] }[]> {
    const { operator, dir } = stage();
    await expect.poll(async () => (await operator.sessions({ live: true })).items, { timeout: 10_000 }).toEqual([]);
    const found = [];
    for (const path of await sessionRecordings(dir)) found.push({ path, events: await recordedEvents(path) });
    return found;
  }
}

/** Texts of what was allowed, or held and then approved. */
function allowedTexts(events: readonly RecordedEvent[], asExecuted: Adapter['asExecuted']): string[] {
  const used = new Set(
    events.filter(({ type, state }) => type === 'approval' && state === 'used').map(({ unit }) => unit),
  );
  const allowed = actionsIn(events).filter(({ effect, unit }) => effect === 'allow' || used.has(unit));
  return allowed.map(({ text }) => asExecuted(text as string[]));
}

function typeOf(value: ContextValue, declared: ContextType | undefined): ContextType | string {
  if (typeof value === 'boolean') return 'Bool';
  if (typeof value === 'number') return 'Long';
  if (typeof value === 'string') return 'String';
  // A map without entries is one of either type.
  if (value instanceof Map && value.size === 0 && declared?.startsWith('Map<')) return declared;
  if (value instanceof Map)
    return [...value.values()].every((each) => typeof each === 'number') ? 'Map<Long>' : 'Map<String>';
  const ordered = [...new Set(value as readonly string[])].sort();
  return JSON.stringify(ordered) === JSON.stringify(value) ? 'Set<String>' : 'not sorted, or with duplicates';
}
