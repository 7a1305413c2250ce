// Sessions whose units are carried out by a call: protocols that are terminated here.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Allowed, Denied, Held } from '../contract/session.ts';
import type { UpstreamAccess } from '../contract/upstream.ts';
import { PipelineSession } from './session.ts';
import { decided, info, unitOf, World } from './testing.ts';

let world: World;
let session: PipelineSession;
beforeEach(() => {
  world = new World();
  session = new PipelineSession(world.ports, info, world.recorder);
});

function allowed(text: string): Allowed {
  const outcome = session.judge(unitOf(text));
  if (outcome.effect !== 'allow') throw new Error(`it was ${outcome.effect}`);
  return outcome;
}

describe('a unit that is carried out by a call', () => {
  it('is the one that was decided', () => {
    const { permit } = allowed('a');
    expect(session.carryOut(permit, (unit) => unit.actions[0]?.text)).toBe('a');
  });

  it('runs once', () => {
    const { permit } = allowed('a');
    let runs = 0;
    session.carryOut(permit, () => runs++);
    expect(() => session.carryOut(permit, () => runs++)).toThrow(/had not decided/);
    expect(runs).toBe(1);
  });

  it('runs after its decision is in the recording', () => {
    const { permit } = allowed('a');
    session.carryOut(permit, () => world.socket.write(new TextEncoder().encode('a')));
    expect(world.flushedAtSend).toEqual([1]);
  });

  it('does not run when the recording cannot be written', () => {
    const { permit } = allowed('a');
    world.recordingFails = true;
    expect(() => session.carryOut(permit, () => world.sent.push('a'))).toThrow(/recording/);
    expect(world.sent).toEqual([]);
  });

  it('does not run when the session is over, nor for a permit that was made up or belongs to another session', () => {
    const { permit } = allowed('a');
    const other = new PipelineSession(world.ports, { ...info, id: 'ses_other' }, world.recorder);
    const run = (): void => void world.sent.push('a');
    expect(() => other.carryOut(permit, run)).toThrow(/had not decided/);
    expect(() => session.carryOut({ unit: 0, session: info.id }, run)).toThrow(/had not decided/);
    session.end('killed');
    expect(() => session.carryOut(permit, run)).toThrow(/over/);
    expect(world.sent).toEqual([]);
  });
});

describe('what would be decided', () => {
  it('is told without a trace', () => {
    for (const effect of ['allow', 'hold', 'deny'] as const) {
      world.decide = () => decided(effect);
      expect(session.would(unitOf('a'))).toBe(effect);
    }
    expect(world.events).toEqual([]);
    expect(world.book.requests).toEqual([]);
  });
});

describe('a session of a client that sends again', () => {
  it('tells at once that a unit waits, and lets the identical one collect the consent', async () => {
    session = new PipelineSession(world.ports, info, world.recorder, true);
    world.decide = () => decided('hold');
    const first = await (session.judge(unitOf('a')) as Held).settled;
    expect(first).toMatchObject({ effect: 'deny', denial: { decision: 'hold', request: 'req_0' } });
    session.end('client_closed');
    expect(world.book.cancelled).toEqual([]);
    world.book.settle('req_0', 'approved');
    const later = new PipelineSession(world.ports, { ...info, id: 'ses_later' }, world.recorder, true);
    const again = await (later.judge(unitOf('a')) as Held).settled;
    expect(again.effect).toBe('allow');
    const other = (await (later.judge(unitOf('b')) as Held).settled) as Denied;
    expect(other.denial).toMatchObject({ decision: 'hold', request: 'req_1' });
  });
});

describe('further connections', () => {
  const access = (destroyed: string[], name: string): UpstreamAccess => ({
    socket: { ...world.socket, destroy: () => destroyed.push(name) },
    tls: 'disable',
    credential: { username: 'gateway', secrets: {} },
    settings: {},
  });

  function dialling(next: () => Promise<UpstreamAccess>): PipelineSession {
    return new PipelineSession({ ...world.ports, dial: next }, info, world.recorder);
  }

  it('end with the session', async () => {
    const destroyed: string[] = [];
    let count = 0;
    const dialled = dialling(() => Promise.resolve(access(destroyed, `socket ${++count}`)));
    await dialled.dial();
    await dialled.dial();
    dialled.end('killed');
    expect(destroyed).toEqual(['socket 1', 'socket 2']);
    await expect(dialled.dial()).rejects.toThrow(/over/);
  });

  it('that are ready when the session is over are closed and not given out', async () => {
    const destroyed: string[] = [];
    let ready: (made: UpstreamAccess) => void = () => {};
    const dialled = dialling(() => new Promise((resolve) => (ready = resolve)));
    const late = dialled.dial();
    dialled.end('killed');
    ready(access(destroyed, 'late'));
    await expect(late).rejects.toThrow(/over/);
    expect(destroyed).toEqual(['late']);
  });
});

describe('texts', () => {
  it('are masked by what policy says now', () => {
    expect(session.texts.text('x').masked).toBe(true);
    world.reveals = () => true;
    expect(session.texts.text('x').masked).toBe(false);
  });
});
