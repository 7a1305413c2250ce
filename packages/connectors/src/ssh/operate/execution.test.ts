import type { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Session } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { Client } from 'ssh2';
import { expect, test } from 'vitest';
import { Execution } from './execution.ts';

const unit = { binding: { command: 'sleep 600' } } as unknown as Unit;

/** Time that passes when it is told to. */
function clock() {
  let now = 0;
  const due = new Set<{ readonly at: number; readonly act: () => void }>();
  return {
    now: () => now,
    after: (ms: number, act: () => void) => {
      const entry = { at: now + ms, act };
      due.add(entry);
      return () => void due.delete(entry);
    },
    pass: (ms: number) => {
      now += ms;
      for (const entry of [...due]) if (entry.at <= now && due.delete(entry)) entry.act();
    },
  };
}

function session() {
  const recorded: unknown[] = [];
  const masker = { labels: [], push: (bytes: Uint8Array) => bytes, end: () => new Uint8Array() };
  const port = {
    record: (event: unknown) => void recorded.push(event),
    flush: () => undefined,
    texts: { stream: () => masker },
  };
  return { recorded, port: port as unknown as Session };
}

test.each([
  ['begins', false],
  ['ended', true],
])('a target that never says that a command %s keeps nobody waiting', async (_what, begins) => {
  const time = clock();
  const { recorded, port } = session();
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough(), close: () => undefined });
  const upstream = {
    exec: (_command: string, started: (error: undefined, target: EventEmitter) => void) => {
      if (begins) started(undefined, channel);
    },
  } as unknown as Client;
  const execution = new Execution({ session: port, upstream, clock: time, longest: 1_000 }, 7);
  execution.begin(unit);
  time.pass(1_000);
  time.pass(5_000);
  await expect(execution.done).rejects.toThrow('it may still run');
  expect(recorded).toContainEqual(expect.objectContaining({ type: 'error', unit: 7, code: 'stop' }));
});

test('a target that does not start a command says so, to the caller and to the recording', async () => {
  const { recorded, port } = session();
  const upstream = {
    exec: (_command: string, started: (error: Error) => void) => started(new Error('open failed')),
  } as unknown as Client;
  const execution = new Execution({ session: port, upstream, clock: clock(), longest: 1_000 }, 7);
  execution.begin(unit);
  await expect(execution.done).rejects.toMatchObject({
    code: 'upstream_unreachable',
    publicMessage: 'The target did not start the command.',
  });
  expect(recorded).toContainEqual(expect.objectContaining({ type: 'error', unit: 7, code: 'start' }));
});
