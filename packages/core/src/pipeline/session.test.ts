import { beforeEach, describe, expect, it } from 'vitest';
import type { Allowed, Denied, Held } from '../contract/session.ts';
import { PipelineSession } from './session.ts';
import { agent, decided, hold, info, unitOf, World } from './testing.ts';

let world: World;
let session: PipelineSession;

beforeEach(() => {
  world = new World();
  session = new PipelineSession(world.ports, info, world.recorder);
  session.attach({
    socket: world.socket,
    tls: 'disable',
    credential: { username: 'gateway', secrets: {} },
    settings: {},
  });
  session.established();
});

function allowed(text: string): Allowed {
  const outcome = session.judge(unitOf(text));
  if (outcome.effect !== 'allow') throw new Error(`it was ${outcome.effect}`);
  return outcome;
}

describe('permits', () => {
  it('are the only way to the target', () => {
    expect(() => session.upstream.socket.write(new Uint8Array(1))).toThrow(/had not decided/);
    session.send(allowed('a').permit);
    session.flush();
    expect(world.sent).toEqual(['a']);
  });

  it('are good once', () => {
    const { permit } = allowed('a');
    session.send(permit);
    expect(() => session.send(permit)).toThrow(/had not decided/);
  });

  it('cannot be made up, copied, or carried to another session', () => {
    const { permit } = allowed('a');
    expect(() => session.send({ unit: 0, session: info.id })).toThrow();
    expect(() => session.send({ ...permit })).toThrow();
    const other = new PipelineSession(world.ports, { ...info, id: 'ses_other' }, world.recorder);
    expect(() => other.send(permit)).toThrow();
    expect(world.sent).toEqual([]);
  });

  it('are void when the session is over', () => {
    const { permit } = allowed('a');
    session.end('killed');
    expect(() => session.send(permit)).toThrow(/over/);
  });
});

describe('the recording', () => {
  it('has the decision before the target has the bytes', () => {
    session.send(allowed('a').permit);
    session.send(allowed('b').permit);
    session.flush();
    expect(world.sent).toEqual(['a', 'b']);
    expect(world.flushedAtSend).toEqual([2, 2]);
  });

  it('that cannot be written keeps everything from the target', () => {
    const { permit } = allowed('a');
    session.send(permit);
    world.recordingFails = true;
    expect(() => session.flush()).toThrow(/recording/);
    expect(() => session.judge(unitOf('b'))).toThrow(/recording/);
    expect(world.sent).toEqual([]);
  });

  it('holds what was refused before it could be judged', () => {
    session.refuse('Query', 'selec', 'syntax error');
    expect(world.events).toMatchObject([
      { type: 'action', effect: 'deny', text: ['selec'], policies: ['sluice:unknown'] },
    ]);
  });
});

describe('the order', () => {
  it('takes the strictest effect of all actions', () => {
    world.decide = ({ action }) => decided(action.text === 'b' ? 'deny' : 'allow');
    const unit = unitOf('a', { actions: [...unitOf('a').actions, ...unitOf('b').actions, ...unitOf('c').actions] });
    expect(session.judge(unit)).toMatchObject({ effect: 'deny', denial: { policies: ['deny'], reason: 'it is deny' } });
  });

  it('masks every label that may not be revealed', () => {
    world.reveals = (label) => label === 'pii.email';
    const outcome = session.judge(unitOf('a', { labels: ['pci', 'pii.email'] })) as Allowed;
    expect([...outcome.masked]).toEqual(['pci']);
  });

  it('refuses to tell in other ways what it masks', () => {
    const unit = unitOf('a', { exposures: [{ labels: ['pci'], reason: 'it orders by card' }] });
    expect(session.judge(unit)).toMatchObject({ effect: 'deny', denial: { policies: ['sluice:exposure'] } });
    world.reveals = () => true;
    expect(session.judge(unit)).toMatchObject({ effect: 'allow' });
  });

  it.each([
    ['the text', unitOf("update t set mail = 'j#***#'")],
    ['a parameter', unitOf('update t set mail = $1', { parameters: [null, 'j#***#@x'] })],
    [
      'content',
      unitOf('copy', { content: { before: new TextEncoder().encode('#**'), data: new TextEncoder().encode('*#') } }),
    ],
  ])('refuses to write a masked value back: %s', (_, unit) => {
    expect(session.judge(unit)).toMatchObject({ effect: 'deny', denial: { policies: ['sluice:write-back'] } });
  });

  it('turns an obligation that nobody can carry out into a deny', () => {
    world.decide = () => decided('allow', { obligations: [{ kind: 'read_only' }] });
    expect(session.judge(unitOf('a'))).toMatchObject({ effect: 'deny', denial: { policies: ['sluice:obligation'] } });
  });
});

describe('a held unit', () => {
  beforeEach(() => {
    world.decide = () => decided('hold');
  });

  function held(unit = unitOf('a')): Held {
    const outcome = session.judge(unit);
    if (outcome.effect !== 'hold') throw new Error(`it was ${outcome.effect}`);
    return outcome;
  }

  it('runs once it is approved, and asks again the next time', async () => {
    const first = held();
    expect(await first.notice).toMatchObject({ request: 'req_0', groups: ['dba'] });
    world.book.settle('req_0', 'approved');
    expect((await first.settled).effect).toBe('allow');
    const second = held();
    expect(await second.notice).toMatchObject({ request: 'req_1' });
  });

  it('shows nothing when the grant is already there', async () => {
    const first = held();
    await first.notice;
    first.withdraw();
    await first.settled;
    const again = held();
    await again.notice;
    world.book.settle('req_1', 'approved');
    await again.settled;
    expect(world.book.used).toEqual(['req_1']);
  });

  it.each(['denied', 'expired', 'revoked', 'used'] as const)('does not run when its request is %s', async (state) => {
    const outcome = held();
    await outcome.notice;
    world.book.settle('req_0', state);
    expect((await outcome.settled).effect).toBe('deny');
  });

  it('does not run when the client has gone, even if it is approved afterwards', async () => {
    const outcome = held();
    await outcome.notice;
    outcome.withdraw();
    const settled = (await outcome.settled) as Denied;
    expect(settled.effect).toBe('deny');
    expect(world.book.cancelled).toEqual(['req_0']);
  });

  it('is asked of nobody when it was withdrawn at once, also where it is approved already', async () => {
    const outcome = held();
    outcome.withdraw();
    expect(await outcome.settled).toMatchObject({ effect: 'deny', denial: { decision: 'deny' } });
    expect(await outcome.notice).toBeUndefined();
    expect(world.book.requests).toEqual([]);
  });

  it('is judged again when approved: policy may have changed', async () => {
    const outcome = held();
    await outcome.notice;
    world.decide = () => decided('deny');
    world.book.settle('req_0', 'approved');
    expect(await outcome.settled).toMatchObject({ effect: 'deny', denial: { reason: 'it is deny' } });
    expect(world.book.used).toEqual([]);
  });

  it('does not run when policy now asks somebody else, too', async () => {
    const outcome = held();
    await outcome.notice;
    world.decide = () =>
      decided('hold', {
        hold: { ...hold, consents: [...hold.consents, { policy: 'more', group: 'security', quorum: 1 }] },
      });
    world.book.settle('req_0', 'approved');
    expect((await outcome.settled).effect).toBe('deny');
    expect(world.book.used).toEqual([]);
  });

  it('does not run when the same bytes mean something else by now', async () => {
    let schema = 'before';
    const renewing = (): ReturnType<typeof unitOf> =>
      unitOf('a', { binding: { schema }, renew: async () => renewing() });
    const outcome = held(renewing());
    await outcome.notice;
    schema = 'after';
    world.book.settle('req_0', 'approved');
    expect(await outcome.settled).toMatchObject({ effect: 'deny', denial: { request: 'req_0' } });
    expect(world.book.used).toEqual([]);
  });

  it('is answered "pending" at once where policy says resend, and collected by the identical unit', async () => {
    world.decide = () => decided('hold', { hold: { ...hold, wait: 'resend' } });
    expect(await held().settled).toMatchObject({ effect: 'deny', denial: { decision: 'hold', request: 'req_0' } });
    world.book.settle('req_0', 'approved');
    const again = held();
    expect((await again.settled).effect).toBe('allow');
    expect(await again.notice).toBeUndefined();
    expect(await held().settled).toMatchObject({ effect: 'deny', denial: { request: 'req_1' } });
  });

  it('is told "pending" after the time for parking, while its request stays open', async () => {
    world.decide = () => decided('hold', { hold: { ...hold, wait: 'both' } });
    const outcome = held();
    await outcome.notice;
    world.pass(30_000);
    expect(await outcome.settled).toMatchObject({ effect: 'deny', denial: { decision: 'hold' } });
    expect(world.book.requests[0]?.state).toBe('pending');
  });

  it('gives its consent to the unit that carries it out, and to no other', async () => {
    const bound = unitOf('a', { name: 'Bind', parameters: ['1'] });
    const outcome = held(bound);
    await outcome.notice;
    world.book.settle('req_0', 'approved');
    const { handle } = await outcome.settled;
    expect(session.judge({ ...bound, name: 'Execute', continues: handle }).effect).toBe('allow');
    expect(session.judge({ ...bound, name: 'Execute', parameters: ['2'], continues: handle }).effect).toBe('hold');
    expect(session.judge({ ...bound, name: 'Execute', continues: { seq: 99 } }).effect).toBe('hold');
  });
});

describe('what an approval binds to', () => {
  const base = unitOf('update t set a = 1', { parameters: ['1'], binding: { search_path: 'public' } });
  const action = base.actions[0]!;

  it.each([
    ['another text', { actions: [{ ...action, text: 'update t set a = 2' }] }],
    ['another parameter', { parameters: ['2'] }],
    ['one more parameter', { parameters: ['1', null] }],
    ['a null in place of its word', { parameters: ['null'] }],
    ['another path', { binding: { search_path: 'evil' } }],
    ['another role', { binding: { search_path: 'public', role: 'x' } }],
    ['another resource', { actions: [{ ...action, resources: [{ type: 'Target', id: 'other' }] }] }],
    ['one more action', { actions: [action, action] }],
    ['a text that runs into the next field', { actions: [{ ...action, text: 'update t set a = 1","x' }] }],
  ])('tells %s apart', async (_, change) => {
    world.decide = () => decided('hold', { hold: { ...hold, wait: 'resend' } });
    await (session.judge(base) as Held).settled;
    world.book.settle('req_0', 'approved');
    const outcome = await (session.judge({ ...base, ...change }) as Held).settled;
    expect(outcome).toMatchObject({ effect: 'deny', denial: { decision: 'hold', request: 'req_1' } });
  });

  it('tells another principal behind the same session kind apart', async () => {
    world.decide = () => decided('hold', { hold: { ...hold, wait: 'resend' } });
    await (session.judge(base) as Held).settled;
    world.book.settle('req_0', 'approved');
    const principal = { ...agent, chain: [{ kind: 'user' as const, id: 'https://issuer.example#dana' }] };
    const other = new PipelineSession(world.ports, { ...info, principal }, world.recorder);
    expect(await (other.judge(base) as Held).settled).toMatchObject({ denial: { request: 'req_1' } });
  });
});

describe('the end', () => {
  it('tells the client once, and the world once', async () => {
    const told: string[] = [];
    session.onEnd((reason) => told.push(reason));
    session.terminate('killed', 'bye');
    session.terminate('revoked', 'bye');
    session.end('client_closed');
    await Promise.resolve();
    expect(told).toEqual(['killed']);
    expect(world.ended).toEqual(['killed']);
  });

  it('withdraws what is held', async () => {
    world.decide = () => decided('hold');
    const outcome = session.judge(unitOf('a')) as Held;
    await outcome.notice;
    session.end('client_closed');
    expect((await outcome.settled).effect).toBe('deny');
    expect(world.book.cancelled).toEqual(['req_0']);
  });
});
