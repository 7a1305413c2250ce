import type { Connector, Opening } from '@sluice/core/contract/connector.ts';
import type {
  Caller,
  OperationDeclaration,
  OperationResult,
  OperationSession,
} from '@sluice/core/contract/operations.ts';
import { DeniedError } from '@sluice/core/contract/session.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOperations, type OperationsParts, type RunningOperations } from './operations.ts';
import { cursorLife, idleTime, mostCursors, mostPerPrincipal } from './session-pool.ts';

const query: OperationDeclaration = {
  name: 'query',
  title: 'Query',
  doc: 'Queries.',
  input: { type: 'object' },
  output: { type: 'object' },
  readOnly: false,
};

/** One opened session at the stand-in for a target, and what was done with it. */
interface Opened {
  readonly opening: Opening;
  readonly calls: { readonly name: string; readonly run: RunContext | undefined; readonly cursor?: unknown }[];
  closed: boolean;
  end(reason: EndReason): void;
  answer(): void;
}

/** A connector whose operations wait until the test answers them, and a clock that stands still. */
class World {
  readonly opened: Opened[] = [];
  readonly timers = new Set<{ readonly ms: number; readonly callback: () => void }>();
  /** Whether calls wait for `answer`. */
  slow = false;
  openError: Error | undefined;
  overBefore: 'once' | 'always' | undefined;
  /** Answers that leave something for a cursor. */
  parts = 0;
  now = 0;
  readonly connectors = new Map<string, Connector>();

  constructor() {
    this.connectors.set('sql', this.#connector('sql', [query]));
    this.connectors.set('mute', this.#connector('mute', undefined));
  }

  #connector(id: string, operations: readonly OperationDeclaration[] | undefined): Connector {
    const unused = () => Promise.reject(new Error('not used here'));
    const base = { id, declares: { actions: [], resources: [] }, discharges: [], close: async () => {} };
    const connector: Connector = { ...base, accept: unused, interpret: unused };
    return operations ? { ...connector, operations, operate: (opening) => this.#operate(opening) } : connector;
  }

  async #operate(opening: Opening): Promise<OperationSession> {
    if (this.openError) throw this.openError;
    let end: (reason: EndReason) => void = () => {};
    const over = new Promise<EndReason>((resolve) => {
      end = resolve;
    });
    const waiting: (() => void)[] = [];
    const opened: Opened = { opening, calls: [], closed: false, end, answer: () => waiting.shift()?.() };
    this.opened.push(opened);
    const session = `ses_${this.opened.length}`;
    return {
      session,
      over,
      call: async (name, input, run) => {
        if (this.overBefore) {
          if (this.overBefore === 'once') this.overBefore = undefined;
          end('killed');
          await over;
          throw new CoreError('session_over', 'gateway', 'The session is over.');
        }
        opened.calls.push({ name, run, ...(input['cursor'] === undefined ? {} : { cursor: true }) });
        if (this.slow) await new Promise<void>((resolve) => waiting.push(resolve));
        if (this.parts === 0) return { outcome: 'done', value: { session } };
        this.parts--;
        return { outcome: 'done', value: { session }, more: true };
      },
      close: () => {
        opened.closed = true;
        end('client_closed');
      },
    };
  }

  pass(ms: number): void {
    for (const timer of [...this.timers]) {
      if (timer.ms > ms) continue;
      this.timers.delete(timer);
      timer.callback();
    }
  }

  operations(more: Partial<OperationsParts> = {}): RunningOperations {
    return createOperations({
      clock: {
        now: () => this.now,
        after: (ms, callback) => {
          const timer = { ms, callback };
          this.timers.add(timer);
          return () => this.timers.delete(timer);
        },
      },
      connectors: this.connectors,
      targets: new Map(
        [
          ['shop', 'sql'],
          ['attic', 'sql'],
          ['silent', 'mute'],
        ].map(([name = '', connector = '']) => [name, { name, connector, tags: [] }]),
      ),
      mayConnect: (_principal, name) => name !== 'attic',
      open: () => Promise.reject(new Error('not used here')),
      request: async (id) => ({ id, requester: { kind: 'agent', id: 'i#bot' } }) as AccessRequest,
      sessions: async (principal) => [{ id: `of ${principal}`, target: 'shop', startedAt: 0, live: true }],
      credentialIsFor: async (id, target) => id === `for ${target}`,
      ...more,
    });
  }
}

const principal = (subject: string, more: Partial<Principal> = {}): Principal => ({
  kind: 'agent',
  id: `i#${subject}`,
  issuer: 'i',
  subject,
  displayName: subject,
  groups: [],
  chain: [],
  expiresAt: 1_000,
  ...more,
});
const caller = (subject: string, more: Partial<Caller> = {}): Caller => ({
  principal: principal(subject),
  client: { address: '10.0.0.1:1000', secure: true },
  ...more,
});
const never = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };

let world: World;
let operations: RunningOperations;
beforeEach(() => {
  world = new World();
  operations = world.operations();
});

const call = (who: Caller, target = 'shop', run?: RunContext) => operations.call(who, target, 'query', {}, run, never);

describe('a call', () => {
  test('goes to a session that is told to hold nobody up', async () => {
    const client = { address: '10.0.0.1:1', secure: true, application: 'bot' };
    expect(await call(caller('bot', { client }), 'shop', { run: 'r', intent: 'see' })).toMatchObject({
      outcome: 'done',
    });
    expect(world.opened[0]?.opening).toMatchObject({
      principal: { id: 'i#bot' },
      target: 'shop',
      resend: true,
      application: 'bot',
      run: { run: 'r', intent: 'see' },
    });
  });

  test('to an unknown target and to one that is not for the caller is refused alike', async () => {
    const [unknown, forbidden] = [await call(caller('bot'), 'nowhere'), await call(caller('bot'), 'attic')];
    expect(unknown).toMatchObject({ outcome: 'failed', code: 'unknown_target' });
    expect(forbidden).toEqual(unknown);
    expect(world.opened).toEqual([]);
  });

  test('with an access credential reaches the target it is for, and no other', async () => {
    expect(await call(caller('bot', { credential: 'for shop' }))).toMatchObject({ outcome: 'done' });
    expect(world.opened[0]?.opening).toMatchObject({ credential: 'for shop' });
    expect(await call(caller('bot', { credential: 'for silent' }))).toMatchObject({ code: 'unknown_target' });
  });

  test('of what the target cannot do says what it can', async () => {
    expect(await call(caller('bot'), 'silent')).toMatchObject({ code: 'unknown_operation' });
    const other = await operations.call(caller('bot'), 'shop', 'run', {}, undefined, never);
    expect(other).toMatchObject({ code: 'unknown_operation', message: expect.stringMatching(/it has query/) });
  });

  test('is refused with the words of policy where the session itself is, and failed with what may be shown', async () => {
    const denial = { decision: 'hold', reason: 'ask first', policies: ['p'], hint: 'wait' } as const;
    world.openError = new DeniedError(denial);
    expect(await call(caller('bot'))).toEqual({ outcome: 'refused', denial });
    world.openError = new CoreError('upstream_unreachable', 'upstream', 'It is down.', { detail: 'secret host' });
    expect(await call(caller('bot'))).toEqual({
      outcome: 'failed',
      code: 'upstream_unreachable',
      message: 'It is down.',
    });
    world.openError = undefined;
    expect(await call(caller('bot'))).toMatchObject({ outcome: 'done' });
  });

  test('that met the end of its session before it began goes to another, once', async () => {
    world.overBefore = 'once';
    expect(await call(caller('bot'))).toEqual({ outcome: 'done', value: { session: 'ses_2' } });
    world.overBefore = 'always';
    expect(await call(caller('other'))).toMatchObject({ outcome: 'failed', code: 'session_over' });
    expect(world.opened).toHaveLength(4);
  });
});

describe('sessions at targets', () => {
  const expectShared = async (one: Caller, two: Caller, shared: boolean) => {
    await call(one);
    await call(two);
    expect(world.opened).toHaveLength(shared ? 1 : 2);
  };

  test('are shared by the calls of one caller', () => expectShared(caller('bot'), caller('bot'), true));
  test('are shared over connections of one client', () =>
    expectShared(caller('bot'), caller('bot', { client: { address: '10.0.0.1:2000', secure: true } }), true));

  test.each<[string, Partial<Caller>]>([
    ['another subject', { principal: principal('other') }],
    ['the same subject with other groups', { principal: principal('bot', { groups: ['dba'] }) }],
    ['the same subject with a later token', { principal: principal('bot', { expiresAt: 2_000 }) }],
    ['somebody on behalf of it', { principal: principal('bot', { chain: [{ kind: 'service', id: 'i#x' }] }) }],
    ['the same with an access credential', { credential: 'for shop' }],
    ['the same from another machine', { client: { address: '10.0.0.2:1000', secure: true } }],
    ['the same without TLS', { client: { address: '10.0.0.1:1000', secure: false } }],
    ['the same from another program', { client: { address: '10.0.0.1:1000', secure: true, application: 'x' } }],
  ])('are not shared with %s', (_, other) => expectShared(caller('bot'), caller('bot', other), false));

  test('are apart by run', async () => {
    await call(caller('bot'), 'shop', { run: 'a' });
    await call(caller('bot'), 'shop', { run: 'b' });
    await call(caller('bot'), 'shop', { run: 'a', step: 'other' });
    expect(world.opened.map(({ calls }) => calls.length)).toEqual([2, 1]);
  });

  test('opened at the same moment are one', async () => {
    await Promise.all([call(caller('bot')), call(caller('bot'))]);
    expect(world.opened).toHaveLength(1);
  });

  test('close when idle, and not under a call', async () => {
    world.slow = true;
    const slow = call(caller('bot'));
    await new Promise((resolve) => setImmediate(resolve));
    world.pass(idleTime);
    expect(world.opened[0]?.closed).toBe(false);
    world.opened[0]?.answer();
    await slow;
    world.pass(idleTime - 1);
    expect(world.opened[0]?.closed).toBe(false);
    world.pass(idleTime);
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.opened[0]?.closed).toBe(true);
    world.slow = false;
    expect(await call(caller('bot'))).toEqual({ outcome: 'done', value: { session: 'ses_2' } });
  });

  test('that were killed are not asked again', async () => {
    await call(caller('bot'));
    world.opened[0]?.end('killed');
    await Promise.resolve();
    expect(await call(caller('bot'))).toEqual({ outcome: 'done', value: { session: 'ses_2' } });
    expect(world.timers.size).toBe(1);
  });

  test('that could not be opened are forgotten', async () => {
    world.openError = new CoreError('upstream_unreachable', 'upstream', 'It is down.');
    await call(caller('bot'));
    expect(world.timers.size).toBe(0);
  });

  test('are bounded per principal: idle ones give way, busy ones do not', async () => {
    const runs = Array.from({ length: mostPerPrincipal + 1 }, (_, index) => ({ run: `${index}` }));
    for (const run of runs) expect(await call(caller('bot'), 'shop', run)).toMatchObject({ outcome: 'done' });
    expect(world.opened.filter(({ closed }) => closed)).toEqual([world.opened[0]]);
    world.slow = true;
    const busy = runs.slice(1).map((run) => call(caller('bot'), 'shop', run));
    await new Promise((resolve) => setImmediate(resolve));
    const more = call(caller('bot', { client: { address: '10.9.9.9:1', secure: true } }), 'shop', { run: 'more' });
    expect(await more).toMatchObject({ outcome: 'failed', code: 'busy' });
    const other = call(caller('other'));
    await new Promise((resolve) => setImmediate(resolve));
    for (const opened of world.opened) opened.answer();
    expect(await other).toMatchObject({ outcome: 'done' });
    for (const answer of await Promise.all(busy)) expect(answer).toMatchObject({ outcome: 'done' });
  });

  test('all close with the gateway, and none opens after it', async () => {
    await call(caller('bot'));
    operations.close();
    await Promise.resolve();
    expect(world.opened[0]?.closed).toBe(true);
    expect(await call(caller('bot'))).toMatchObject({ outcome: 'failed', code: 'stopping' });
    expect(world.opened).toHaveLength(1);
  });
});

describe('a cursor', () => {
  const bot = caller('bot');
  const gone = { outcome: 'failed', code: 'cursor_gone' };
  const first = async (who = bot, run?: RunContext): Promise<string> => {
    world.parts = 1;
    const result = await call(who, 'shop', run);
    return result.outcome === 'done' ? String(result.value['cursor']) : '';
  };
  const goOn = (cursor: string, who = bot, target = 'shop', run?: RunContext) =>
    operations.call(who, target, 'query', { cursor }, run, never);

  test('goes to the session that keeps the rest, once', async () => {
    const cursor = await first();
    expect(cursor).toMatch(/^[\w-]{32}$/);
    expect(await goOn(cursor)).toEqual({ outcome: 'done', value: { session: 'ses_1' } });
    expect(world.opened[0]?.calls.map((one) => one.cursor)).toEqual([undefined, true]);
    expect(await goOn(cursor)).toMatchObject(gone);
    expect(world.opened[0]?.calls).toHaveLength(2);
  });

  test('is another one with each part', async () => {
    const cursor = await first();
    world.parts = 1;
    const next = await goOn(cursor);
    const another = next.outcome === 'done' ? String(next.value['cursor']) : '';
    expect(another).not.toBe(cursor);
    expect(await goOn(cursor)).toMatchObject(gone);
    expect(await goOn(another)).toMatchObject({ outcome: 'done' });
  });

  test('is gone with whatever else is asked of its session', async () => {
    const cursor = await first();
    await call(bot);
    expect(await goOn(cursor)).toMatchObject(gone);
    expect(world.opened).toHaveLength(1);
  });

  test.each<[string, Partial<Caller>, string, RunContext | undefined]>([
    ['another principal', { principal: principal('other') }, 'shop', undefined],
    ['other groups', { principal: principal('bot', { groups: ['dba'] }) }, 'shop', undefined],
    ['another proof', { credential: 'for shop' }, 'shop', undefined],
    ['another machine', { client: { address: '10.0.0.2:1000', secure: true } }, 'shop', undefined],
    ['another run', {}, 'shop', { run: 'other' }],
    ['another target', {}, 'silent', undefined],
  ])('is nothing to %s, and stays whose it is', async (_, other, target, run) => {
    const cursor = await first();
    const foreign = await goOn(cursor, caller('bot', other), target, run);
    expect(foreign.outcome).toBe('failed');
    if (target === 'shop') expect(foreign).toEqual(await goOn('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'));
    expect(world.opened).toHaveLength(1);
    expect(await goOn(cursor)).toMatchObject({ outcome: 'done' });
  });

  test('is gone after a minute without a call, and its session with it', async () => {
    const cursor = await first();
    world.pass(idleTime - 1);
    await Promise.resolve();
    expect(world.opened[0]?.closed).toBe(false);
    world.pass(idleTime);
    await Promise.resolve();
    expect(world.opened[0]?.closed).toBe(true);
    expect(await goOn(cursor)).toMatchObject(gone);
  });

  test('is gone when its session ends, for whatever reason', async () => {
    const cursor = await first();
    world.opened[0]?.end('killed');
    await Promise.resolve();
    expect(await goOn(cursor)).toMatchObject(gone);
    const another = await first();
    world.overBefore = 'once';
    expect(await goOn(another)).toMatchObject(gone);
  });

  test('is not given for ever', async () => {
    const cursor = await first();
    world.now = cursorLife + 1;
    world.parts = 1;
    const last = await goOn(cursor);
    expect(last).toMatchObject({ outcome: 'done', value: { session: 'ses_1' } });
    expect(last).not.toHaveProperty('value.cursor');
    await Promise.resolve();
    expect(world.opened[0]?.closed).toBe(true);
  });

  test('is given to one principal a few times: the oldest gives way', async () => {
    const runs = Array.from({ length: mostCursors + 1 }, (_, index) => ({ run: `${index}` }));
    const cursors: string[] = [];
    for (const run of runs) cursors.push(await first(bot, run));
    const others = await first(caller('other'));
    await Promise.resolve();
    expect(world.opened.map(({ closed }) => closed)).toEqual([true, ...runs.map(() => false)]);
    const answers: OperationResult[] = [];
    for (const [index, run] of runs.entries()) answers.push(await goOn(cursors[index] ?? '', bot, 'shop', run));
    expect(answers.map(({ outcome }) => outcome)).toEqual(['failed', ...Array(mostCursors).fill('done')]);
    expect(await goOn(others, caller('other'))).toMatchObject({ outcome: 'done' });
  });

  test('is gone with the gateway', async () => {
    const cursor = await first();
    operations.close();
    expect(await goOn(cursor)).toMatchObject(gone);
  });
});

describe('what a caller may know', () => {
  test('are targets it may connect to, with their operations', () => {
    expect(operations.targets(caller('bot'))).toEqual([
      { target: { name: 'shop', connector: 'sql', tags: [] }, operations: ['query'] },
      { target: { name: 'silent', connector: 'mute', tags: [] }, operations: [] },
    ]);
  });

  test('are its own requests and sessions', async () => {
    expect(await operations.request(caller('bot'), 'req')).toMatchObject({ id: 'req' });
    expect(await operations.request(caller('other'), 'req')).toBeUndefined();
    expect(await operations.sessions(caller('bot'), 5)).toMatchObject([{ id: 'of i#bot' }]);
  });

  test('is one operation of a name, which no two connectors may mean differently', () => {
    const twin = world.connectors.get('sql') as Connector;
    world.connectors.set('twin', { ...twin, id: 'twin' });
    expect(operations.declared.map(({ name }) => name)).toEqual(['query']);
    world.connectors.set('twin', { ...twin, id: 'twin', operations: [{ ...query, doc: 'Something else.' }] });
    expect(() => operations.declared).toThrow(/query/);
  });
});
