import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ControlPort } from '../control-port.ts';
import { servePort } from './serve-port.ts';

/** A port of which only access requests are asked for. */
function portWith(requests: Partial<ControlPort['requests']>): ControlPort {
  const rest = { identity: {}, pins: {}, sessions: {}, own: {}, peers: {}, policies: {} };
  return { ...rest, requests } as unknown as ControlPort;
}

test('there is no call by which a worker could answer, issue, revoke, kill or change anything of others', () => {
  const names = Object.keys(servePort(portWith({})).calls);
  const known = readFileSync(new URL('./calls.ts', import.meta.url), 'utf8');
  for (const name of names) expect(known).toContain(`readonly ${name}: (`);
  expect(
    names.filter((name) => /answer|approve|deny|issue|revoke|kill|disable|enable|policy|audit/i.test(name)),
  ).toEqual([]);
});

test('what clients of a worker waited for is withdrawn when it is gone', async () => {
  const cancelled: string[] = [];
  const aborted: string[] = [];
  const { calls, end } = servePort(
    portWith({
      settled: (id, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted.push(id);
            resolve({ id } as never);
          });
        }),
      cancel: async (id) => void cancelled.push(id),
    }),
  );
  const waits = [calls.settledRequest('req_one', 0), calls.settledRequest('req_two', 1)];
  calls.stopWaiting(0);
  await waits[0];
  await end();
  expect(await waits[1]).toMatchObject({ id: 'req_two' });
  expect(aborted).toEqual(['req_one', 'req_two']);
  expect(cancelled).toEqual(['req_two']);
});
