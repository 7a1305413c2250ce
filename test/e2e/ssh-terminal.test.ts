// A person at a terminal: OpenSSH's own client, through the gateway to OpenSSH's own server.
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { needing, type RealClient } from '../harness/clients.ts';
import { createSshGateway, type SshGateway, type SshLogin } from '../harness/ssh-gateway.ts';
import { findSshd, findSshProgram } from '../harness/sshd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const policies = `
@id("everything") permit (principal, action, resource) unless { action == Action::"reveal" };
@id("reveals") permit (principal in Group::"trusted", action == Action::"reveal", resource);
@id("no-rm") @reason("Nothing is removed here")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
`;

const sshd = findSshd();
const ssh = findSshProgram('ssh');
const missing: RealClient = sshd.there ? ssh : sshd;

describe.skipIf(!missing.there)(needing(missing, 'a terminal over SSH'), () => {
  let world: SshGateway;
  let me: SshLogin;
  beforeAll(async () => {
    world = await createSshGateway({ policies, masking: { detect: ['pii.email'] }, terminals: true });
    me = await world.login({ sub: 'ada' });
  });
  afterAll(() => world?.stop());

  test('a shell with a terminal is recorded as one, with its size', async () => {
    const ran = await me.startSsh(['-tt', me.destination], {
      input: 'stty size; echo hel""lo; exit 4\n',
      env: { TERM: 'xterm' },
    }).ended;
    expect(ran.code).toBe(4);
    expect(ran.stdout).toContain('hello\r\n');
    const recorded = (await world.recordings()).flat();
    const shell = recorded.find(({ name }) => name === 'shell');
    expect(shell).toMatchObject({ effect: 'allow', actions: [{ verb: 'ssh:shell' }] });
    expect(recorded.some(({ type }) => type === 'resize')).toBe(true);
    const typed = recorded.filter(({ type, direction }) => type === 'terminal' && direction === 'input');
    expect(typed.map(({ data }) => data).join('')).toContain('exit 4');
  });

  test('what a shell shows is masked, also when it comes in pieces', async () => {
    const ran = await me.startSsh(['-tt', me.destination], {
      input: 'printf ada.lovelace; printf @example; printf ".com\\n"; exit\n',
      env: { TERM: 'xterm' },
    }).ended;
    expect(ran.code).toBe(0);
    const shown = (text: string) => stripVTControlCharacters(text);
    expect(shown(ran.stdout)).not.toContain('ada.lovelace@example.com');
    const other = await world.login({ sub: 'grace', groups: ['trusted'] });
    const trusted = await other.startSsh(['-tt', other.destination], {
      input: 'printf ada.lovelace; printf @example; printf ".com\\n"; exit\n',
      env: { TERM: 'xterm' },
    }).ended;
    expect(shown(trusted.stdout)).toContain('ada.lovelace@example.com');
  });

  test('a refusal on a terminal ends its lines as terminals want', async () => {
    const ran = await me.startSsh(['-tt', me.destination, 'rm -rf /nothing'], { env: { TERM: 'xterm' } }).ended;
    expect(ran.code).toBe(126);
    expect(ran.stderr).toContain('sluice: denied by policy no-rm: Nothing is removed here\r\n');
  });

  test('a command on a terminal knows which one', async () => {
    const ran = await me.startSsh(['-tt', me.destination, 'echo $TERM'], { env: { TERM: 'xterm-256color' } }).ended;
    expect(ran.stdout).toBe('xterm-256color\r\n');
  });
});
