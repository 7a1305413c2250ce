// The operation `run`: commands on a host for callers that do not speak SSH, at OpenSSH's own server.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { needing } from '../harness/clients.ts';
import { processes } from '../harness/processes.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';
import { sshTargetOf } from '../harness/ssh-gateway.ts';
import { createTestSshd, findSshd, type TestSshd } from '../harness/sshd.ts';
import { type Answer, createFrontGateway, type FrontClient, type FrontGateway, people } from './mcp-front-gateway.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const policies = `
@id("everything") permit (principal, action, resource) unless { action == Action::"reveal" };
@id("no-rm") @reason("Nothing is removed here")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
@id("look") @approval("dba") @reason("Somebody looks at this first")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/tee");
`;

const most = 256 * 1024;
const sshd = findSshd();

describe.skipIf(!sshd.there)(needing(sshd, 'commands on a host for callers without SSH'), () => {
  let server: TestSshd;
  let front: FrontGateway;
  let agent: FrontClient;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-ssh-run-'));
    // The account at the target may be another one.
    chmodSync(dir, 0o777);
    server = await createTestSshd();
    front = await createFrontGateway({
      policies,
      listen: ['mcp'],
      masking: { detect: ['pii.email'] },
      targets: [sshTargetOf(server)],
      files: { 'target-key': server.privateKey },
    });
    agent = await front.as(people.agent);
  });
  afterAll(async () => {
    await front?.stop();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const run = (command: string, more: object = {}): Promise<Answer> =>
    agent.call('run', { target: 'web', command, ...more });
  /** As text, for what must not be in it anywhere. */
  const shown = (answer: Answer): string => JSON.stringify(answer);

  test('what is allowed runs by the account, without a terminal and without input', async () => {
    expect(await run('id -un; tty; wc -c')).toMatchObject({
      status: 'done',
      result: { stdout: `${server.user}\nnot a tty\n0\n`, exit_code: 0, truncated: false, timed_out: false },
    });
  });

  test('a command that a signal ends has no exit status, but the signal', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ status: 'done', result: { exit_code: null, signal: 'SIGKILL' } });
  });

  test('what is denied does not run', async () => {
    const file = join(dir, 'stays');
    writeFileSync(file, '');
    expect(await run(`rm ${file}`)).toMatchObject({ status: 'denied', policies: ['no-rm'] });
    expect(existsSync(file)).toBe(true);
  });

  test('what is held runs once per consent, and only when it is asked for again', async () => {
    const file = join(dir, 'held');
    const ask = () => run(`echo once | tee -a ${file}`);
    const pending = await ask();
    expect(pending).toMatchObject({ status: 'pending', request: expect.stringMatching(/^req_/) });
    await (await front.gateway.apiAs(people.dba)).approve(String(pending['request']));
    expect(existsSync(file)).toBe(false);
    expect(await run(`echo twice | tee -a ${file}`)).toMatchObject({ status: 'pending' });
    expect(await ask()).toMatchObject({ status: 'done', result: { stdout: 'once\n', exit_code: 0 } });
    expect(await ask()).toMatchObject({ status: 'pending' });
    expect(readFileSync(file, 'utf8')).toBe('once\n');
  });

  test('what takes too long is stopped, and what it said is returned', async () => {
    const marker = `33${process.pid % 10_000}.5`;
    const answer = await run(`echo begun; exec sleep ${marker}`, { timeout_seconds: 1 });
    expect(answer).toMatchObject({
      status: 'done',
      result: { stdout: 'begun\n', timed_out: true, exit_code: null },
    });
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBe(0);
  });

  test('what says too much is cut, ends by itself, and the cut is recorded', async () => {
    const answer = await run(`head -c ${most + 100_000} /dev/zero | tr '\\0' x; echo over >&2; exit 4`);
    expect(answer).toMatchObject({ status: 'done', result: { truncated: true, exit_code: 4, stderr: 'over\n' } });
    expect(String(answer.result['stdout']).length).toBeLessThanOrEqual(most);
    // Not all has to come back, but nothing else may.
    expect(String(answer.result['stdout'])).toMatch(/^x*$/);
    const recorded = await endedSessions();
    expect(recorded).toContainEqual(
      expect.objectContaining({ name: 'output_limit', detail: expect.objectContaining({ stream: 'stdout' }) }),
    );
  });

  test('the cut shows no part of a value that would have been masked', async () => {
    for (const before of [most - 8, most - 14, most - 1]) {
      const answer = await run(`printf '%${before}s'; echo ada.lovelace@example.com`);
      expect(answer).toMatchObject({ status: 'done', result: { truncated: true } });
      expect(String(answer.result['stdout'])).not.toMatch(/ada/);
    }
  });

  test('output and errors are masked, in the answer and in the recording', async () => {
    const answer = await run("echo 'ada.lovelace@example.com'; echo 'grace@example.com' >&2");
    expect(answer).toMatchObject({ status: 'done', result: { exit_code: 0 } });
    expect(shown(answer)).not.toMatch(/lovelace|grace@/);
    const outputs = (await endedSessions()).filter(({ type }) => type === 'output');
    expect(JSON.stringify(outputs)).not.toMatch(/lovelace|grace@/);
  });

  test('a masked value is not written back', async () => {
    const file = join(dir, 'mail');
    const masked = String((await run('echo ada.lovelace@example.com')).result['stdout']).trim();
    expect(await run(`echo ${masked} > ${file}`)).toMatchObject({
      status: 'denied',
      policies: ['sluice:write-back'],
    });
    expect(existsSync(file)).toBe(false);
  });

  test('a command of sixty kilobytes runs whole, and one that is too long is refused and recorded', async () => {
    expect(await run(`: ${'x'.repeat(60_000)}; echo whole`)).toMatchObject({ result: { stdout: 'whole\n' } });
    for (const length of [70_000, most]) {
      const answer = await run(`echo ${'x'.repeat(length)}`);
      expect(answer).toMatchObject({ isError: true });
      expect(shown(answer)).toMatch(/longer than \d+ (bytes|characters)/);
    }
    expect(await run('echo after')).toMatchObject({ result: { stdout: 'after\n' } });
    expect(await endedSessions()).toContainEqual(expect.objectContaining({ name: 'run', effect: 'deny' }));
  });

  test('a session that is killed stops what runs, and the caller is told', async () => {
    const marker = `34${process.pid % 10_000}.5`;
    const answer = run(`sleep ${marker}`);
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBe(1);
    await killAll();
    expect(await answer).toMatchObject({ isError: true });
    await expect.poll(() => processes('sleep', marker), { timeout: 10_000 }).toBe(0);
    // The next call has a session of its own.
    expect(await run('echo again')).toMatchObject({ status: 'done', result: { stdout: 'again\n' } });
  });

  test('all of it is sealed, and verifies', async () => {
    await killAll();
    expect(await sealedRecordings(front.gateway)).toBeGreaterThan(1);
  });

  async function killAll(): Promise<void> {
    const operator = await front.gateway.apiAs(people.operator);
    for (const { id } of (await operator.sessions({ live: true })).items) await operator.kill(id);
  }

  /** What was recorded until now; ends the session that is open, so that its recording is whole. */
  async function endedSessions(): Promise<readonly RecordedEvent[]> {
    await killAll();
    await sealedRecordings(front.gateway);
    const found: RecordedEvent[] = [];
    for (const path of await sessionRecordings(front.gateway.dir)) found.push(...(await recordedEvents(path)));
    return found;
  }
});
