import type { Socket } from 'node:net';
import type { PolicyTexts } from '@sluice/core/contract/control-plane.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ControlPort } from '../control-port.ts';
import type { ControlCalls, WorkerCalls } from './calls.ts';
import { Channel } from './channel.ts';
import { ends } from './testing/ends.ts';
import { WorkerPool } from './worker-pool.ts';
import type { Ending, WorkerProcess } from './worker-process.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Timers that run when they are told to. */
class Clock {
  #now = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Lets time pass, timer by timer, with everything that follows from each. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = next.at;
      next.run();
      await settled();
    }
    this.#now = until;
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Fake {
  readonly taken: string[];
  readonly policies: number[];
  /** It ends as a process does. */
  die(how: Ending): void;
  stuck: boolean;
}

let clock: Clock;
let started: Fake[];
let facts: string[];
let restarts: number;
let unserved: number;
let up: number[];
let startFails: boolean;
let accepted: PolicyTexts;
let changed: ((texts: PolicyTexts) => void)[];

beforeEach(() => {
  clock = new Clock();
  [started, facts, up, changed] = [[], [], [], []];
  [restarts, unserved, startFails] = [0, 0, false];
  accepted = { hash: 'one', epoch: 1, files: [] };
});

/** A process of a worker that does what it is asked for, until it is stuck. */
function fork(): Promise<WorkerProcess> {
  const { near, far, close } = ends();
  let end: (how: Ending) => void = () => {};
  const over = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  const fake: Fake = {
    taken: [],
    policies: [],
    stuck: false,
    die: (how) => {
      close();
      end(how);
    },
  };
  const answer = <T>(value: T): T | Promise<never> => (fake.stuck ? new Promise(() => {}) : value);
  const channel = new Channel<ControlCalls, WorkerCalls>(far, quiet);
  channel.onConnection((listener) => void fake.taken.push(listener));
  channel.serve({
    start: async ({ policies }) => {
      if (startFails) throw new Error('no key');
      fake.policies.push(policies.epoch);
    },
    policies: async ({ epoch }) => {
      await answer(undefined);
      fake.policies.push(epoch);
    },
    end: () => {},
    told: async () => {},
    pulse: () => answer(undefined) as undefined,
    metrics: async () => [],
    stop: async () => answer(undefined),
  });
  started.push(fake);
  return Promise.resolve({
    pid: 1_000 + started.length,
    end: near,
    over,
    disconnect: () => fake.stuck || fake.die({ code: 0, signal: null }),
    kill: () => fake.die({ code: null, signal: 'SIGKILL' }),
  });
}

function port(): ControlPort {
  return {
    sessions: { onEnd: () => {} },
    peers: { onTold: () => {} },
    requests: {},
    policies: {
      current: () => accepted,
      onChange: (callback: (texts: PolicyTexts) => void) => {
        changed.push(callback);
        return () => {
          changed = changed.filter((each) => each !== callback);
        };
      },
    },
    gone: async () => 3,
  } as unknown as ControlPort;
}

function pool(count = 2): WorkerPool {
  return new WorkerPool({
    count,
    clock,
    log: quiet,
    audit: { record: (event) => void facts.push(event.name === 'worker.ended' ? `ended ${event.reason}` : event.name) },
    metrics: {
      workersUp: (number) => void up.push(number),
      workerRestarted: () => void restarts++,
      unserved: () => void unserved++,
    },
    marks: { put: () => {}, remove: () => {} },
    fork,
    port,
    startOf: (number) => ({ number }) as never,
  });
}

function socket(remoteAddress = '10.0.0.1'): Socket & { destroyed: boolean } {
  const one = {
    remoteAddress,
    destroyed: false,
    destroy: () => {
      one.destroyed = true;
    },
  };
  return one as unknown as Socket & { destroyed: boolean };
}

describe('a pool of workers', () => {
  test('hands connections to all that are ready, in turn, or by address to one', async () => {
    const workers = pool();
    await workers.start();
    for (let turn = 0; turn < 4; turn++) workers.hand('turns', socket(), false);
    await settled();
    expect(started.map(({ taken }) => taken.length)).toEqual([2, 2]);
    for (let turn = 0; turn < 4; turn++) workers.hand('address', socket(), true);
    await settled();
    expect(started.map(({ taken }) => taken.filter((name) => name === 'address').length).sort()).toEqual([0, 4]);
    await workers.stop();
  });

  test('starts one again that ended, later each time, and goes on meanwhile with the others', async () => {
    const workers = pool();
    await workers.start();
    started[0]?.die({ code: null, signal: 'SIGSEGV' });
    await settled();
    expect(workers.up).toHaveLength(1);
    expect(facts.at(-1)).toBe('ended SIGSEGV');
    for (const pause of [200, 400, 800]) {
      const before = started.length;
      await clock.pass(pause - 1);
      expect(started).toHaveLength(before);
      await clock.pass(1);
      expect(started).toHaveLength(before + 1);
      started.at(-1)?.die({ code: 1, signal: null });
      await settled();
    }
    expect(restarts).toBe(3);
    workers.hand('any', socket(), false);
    await settled();
    expect(started[1]?.taken).toEqual(['any']);
    await workers.stop();
  });

  test('waits half a minute at most before it tries again, and forgets old trouble', async () => {
    const workers = pool(1);
    await workers.start();
    for (let turn = 0; turn < 12; turn++) {
      started.at(-1)?.die({ code: 1, signal: null });
      await settled();
      await clock.pass(30_000);
      expect(workers.up).toHaveLength(1);
    }
    await clock.pass(61_000);
    started.at(-1)?.die({ code: 1, signal: null });
    await settled();
    const before = started.length;
    await clock.pass(200);
    expect(started).toHaveLength(before + 1);
    await workers.stop();
  });

  test('closes connections that nobody can serve, and counts them', async () => {
    const workers = pool(1);
    await workers.start();
    started[0]?.die({ code: 1, signal: null });
    await settled();
    const connection = socket();
    workers.hand('any', connection, false);
    expect(connection.destroyed).toBe(true);
    expect(unserved).toBe(1);
    await workers.stop();
  });

  test('kills one that does not answer any more', async () => {
    const workers = pool();
    await workers.start();
    const [stuck] = started;
    if (stuck) stuck.stuck = true;
    await clock.pass(10_000 + 60_000);
    await settled();
    expect(facts).toContain('ended SIGKILL');
    await clock.pass(200);
    expect(workers.up).toHaveLength(2);
    await workers.stop();
  });

  test('does not start with one that can not, and leaves none behind', async () => {
    startFails = true;
    const workers = pool();
    await expect(workers.start()).rejects.toThrow('no key');
    await clock.pass(60_000);
    expect(started).toHaveLength(2);
    expect(workers.up).toEqual([]);
  });

  test('judges by a policy set once all do', async () => {
    const workers = pool();
    await workers.start();
    expect(workers.epoch).toBe(1);
    const [slow] = started;
    if (slow) slow.stuck = true;
    accepted = { hash: 'two', epoch: 2, files: [] };
    for (const tell of changed) tell(accepted);
    await settled();
    expect(started[1]?.policies).toEqual([1, 2]);
    expect(workers.epoch).toBe(1);
    started[0]?.die({ code: 1, signal: null });
    await settled();
    expect(workers.epoch).toBe(2);
    await clock.pass(200);
    expect(started.at(-1)?.policies).toEqual([2]);
    await workers.stop();
  });

  test('ends one that does not stop when it is asked to', async () => {
    const workers = pool();
    await workers.start();
    const [stuck] = started;
    if (stuck) stuck.stuck = true;
    const stopped = workers.stop();
    await settled();
    await clock.pass(20_000);
    await clock.pass(20_000);
    await stopped;
    expect(workers.up).toEqual([]);
    expect(started).toHaveLength(2);
  });
});
