// Recordings of everything that a session over SSH can hold: sealed, verified, replayed by the real command.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { needing } from '../harness/clients.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
import { startProgram } from '../harness/run-program.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const policies = `
@id("everything") permit (principal, action, resource) unless { action == Action::"reveal" };
@id("no-rm") @reason("Nothing is removed here")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
`;

const programs = [findSshd(), ...(['ssh', 'sftp'] as const).map(findSshProgram)];
const missing = programs.find(({ there }) => !there) ?? findSshd();

describe.skipIf(!missing.there)(needing(missing, 'recordings of SSH'), () => {
  let world: SshGateway;
  let dir: string;
  /** By what the session was for. */
  const sessions = new Map<string, { readonly path: string; readonly events: readonly RecordedEvent[] }>();

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-ssh-recorded-'));
    world = await createSshGateway({ policies, masking: { detect: ['pii.email'] }, terminals: true });
    const me = await world.login({ sub: 'ada' });
    writeFileSync(join(dir, 'up'), 'sent up\n');
    await session('command', () => me.ssh(['echo out; printf "%s@example.com\\n" ada >&2; exit 3']));
    await session('denied', () => me.ssh(['rm /nothing']));
    await session('input', () => me.ssh(['cat'], { input: 'what was sent\n' }));
    await session(
      'terminal',
      () =>
        me.startSsh(['-tt', me.destination], { input: 'stty size; echo sh""own; exit\n', env: { TERM: 'xterm' } })
          .ended,
    );
    await session('prompt', () => typesAtPrompt(me));
    await session(
      'files',
      () =>
        startProgram('/usr/bin/sftp', [...me.options, '-P', String(me.port), '-b', '-', me.destination], {
          input: `put ${dir}/up ${dir}/there\nget ${dir}/there ${dir}/back\nls ${dir}\n`,
        }).ended,
    );
    await session('forward', async () => {
      const forwarded = startProgram(
        '/usr/bin/ssh',
        [...me.options, '-p', String(me.port), '-W', `127.0.0.1:${world.sshd.port}`, me.destination],
        { open: true },
      );
      await forwarded.saw(/^SSH-2\.0-OpenSSH/);
      forwarded.kill('SIGTERM');
      return forwarded.ended;
    });
  });
  afterAll(async () => {
    await world?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function session(name: string, act: () => Promise<unknown>): Promise<void> {
    const before = new Set(await sessionRecordings(world.gateway.dir));
    await act();
    await sealedRecordings(world.gateway);
    const [path = ''] = (await sessionRecordings(world.gateway.dir)).filter((each) => !before.has(each));
    sessions.set(name, { path, events: await recordedEvents(path) });
  }

  /** Somebody who is asked for a password by a program that does not show what is typed. */
  async function typesAtPrompt(me: SshLogin): Promise<void> {
    const asks = startProgram(
      '/bin/sh',
      ['-c', `(until [ -e ${dir}/asked ]; do sleep 0.1; done; echo hunter2) | ${ask(me)}`],
      { env: { TERM: 'xterm' } },
    );
    await asks.ended;
    expect(existsSync(join(dir, 'asked'))).toBe(true);
  }

  function ask(me: SshLogin): string {
    const script = `stty -echo; echo Password:; touch ${dir}/asked; head -n 1 >/dev/null; stty echo`;
    return `/usr/bin/ssh ${me.options.join(' ')} -p ${me.port} -tt ${me.destination} '${script}'`;
  }

  const events = (name: string): readonly RecordedEvent[] => sessions.get(name)?.events ?? [];
  const data = (name: string, type: string, more: object = {}): string =>
    events(name)
      .filter((event) => event['type'] === type && Object.entries(more).every(([key, value]) => event[key] === value))
      .map((event) => String(event['data']))
      .join('');

  test('verify', async () => {
    expect(await sealedRecordings(world.gateway)).toBeGreaterThanOrEqual(7);
    const verified = await runCommand(['audit', 'verify', world.gateway.dir], { cwd: world.gateway.dir });
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
  });

  test('show one changed byte', async () => {
    const path = sessions.get('command')?.path ?? '';
    const bytes = readFileSync(path);
    const changed = join(dir, basename(path));
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(changed, bytes);
    const keys = join(world.gateway.dir, 'keys', 'public.json');
    const verified = await runCommand(['audit', 'verify', changed, '--keys', keys], { cwd: dir });
    expect(verified.code).not.toBe(0);
  });

  test('hold commands with their output, their errors and their end, masked', () => {
    expect(data('command', 'output', { stream: 'stdout' })).toBe('out\n');
    expect(data('command', 'output', { stream: 'stderr' })).toMatch(/^(?!.*ada@).*\n$/);
    expect(events('command')).toContainEqual(expect.objectContaining({ type: 'complete', tag: 'exit 3' }));
    expect(events('denied')).toContainEqual(expect.objectContaining({ effect: 'deny', policies: ['no-rm'] }));
    expect(data('input', 'input')).toBe('what was sent\n');
  });

  test('hold terminals: what was typed, what was shown, and the size', () => {
    expect(data('terminal', 'terminal', { direction: 'input' })).toBe('stty size; echo sh""own; exit\n');
    expect(data('terminal', 'terminal', { direction: 'output' })).toContain('shown\r\n');
    expect(events('terminal').some(({ type }) => type === 'resize')).toBe(true);
  });

  test('hold what was typed where nothing was shown of it, too', () => {
    expect(data('prompt', 'terminal', { direction: 'input' })).toContain('hunter2');
    expect(data('prompt', 'terminal', { direction: 'output' })).not.toContain('hunter2');
  });

  test('hold the content of files in both directions, and names', () => {
    expect(data('files', 'input')).toBe('sent up\n');
    expect(data('files', 'output', { stream: 'content' })).toBe('sent up\n');
    expect(data('files', 'output', { stream: 'names' })).toContain('there\n');
  });

  test('hold what came through a forwarded connection', () => {
    expect(data('forward', 'output', { stream: 'forward' })).toMatch(/^SSH-2\.0-OpenSSH/);
  });

  test.each([
    ['command', ['echo out', 'exit 3']],
    ['denied', ['rm /nothing', 'Nothing is removed here']],
    ['terminal', ['shown']],
    ['prompt', ['Password:']],
    ['files', ['there']],
    ['forward', ['SSH-2.0-OpenSSH']],
  ])('are replayed (%s)', async (name, parts) => {
    const replayed = await runCommand(['sessions', 'replay', sessions.get(name)?.path ?? ''], { cwd: dir });
    expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
    for (const part of parts) expect(replayed.stdout).toContain(part);
    expect(replayed.stdout).not.toMatch(/hunter2|ada@/);
  });

  test('show what was typed only to who asks for it', async () => {
    const replayed = await runCommand(['sessions', 'replay', sessions.get('prompt')?.path ?? '', '--input'], {
      cwd: dir,
    });
    expect(replayed.stdout).toContain('hunter2');
  });
});
