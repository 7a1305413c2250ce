import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkerMarks } from './worker-marks.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-marks-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('nothing is waited for where there were no workers', async () => {
  await new WorkerMarks(dataDir).awaitNone();
});

test('a worker of an earlier gateway is waited for until it is gone', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  await new Promise((resolve) => child.once('spawn', resolve));
  const marks = new WorkerMarks(dataDir);
  marks.put(1, child.pid ?? 0);
  let over = false;
  const none = marks.awaitNone().then(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(over).toBe(false);
  child.stdin.end();
  await none;
  expect(existsSync(join(dataDir, 'workers', '1'))).toBe(false);
});

test('what is no mark, and a process that had the number before, keep nobody waiting', async () => {
  mkdirSync(join(dataDir, 'workers'));
  writeFileSync(join(dataDir, 'workers', '1'), '{"pid":');
  const marks = new WorkerMarks(dataDir);
  writeFileSync(
    join(dataDir, 'workers', '2'),
    JSON.stringify({ pid: process.pid, started: '1', realm: 'another', host: 'another' }),
  );
  await marks.awaitNone();
});

test('a worker that ended has no mark', () => {
  const marks = new WorkerMarks(dataDir);
  marks.put(3, process.pid);
  marks.remove(3);
  expect(existsSync(join(dataDir, 'workers', '3'))).toBe(false);
});
